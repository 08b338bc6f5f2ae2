"""Somebody who has a keyboard and no mouse: goes from control to control with Tab, and sees at each where he is."""

from selenium.webdriver.common.keys import Keys as Key

# More stops than any page has.
STOPS = 80

# What has the focus: whether it matches, and what a person sees of it.
FOCUS = """
const [selector] = arguments, here = document.activeElement;
if (!here || here === document.body) return null;
const box = here.getBoundingClientRect(), style = getComputedStyle(here);
const inside = box.width > 0 && box.height > 0 && box.left >= 0 && box.right <= innerWidth + 1 && box.bottom > 0 && box.top < innerHeight;
const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
const y = Math.min(Math.max(box.top + Math.min(box.height, innerHeight) / 2, 0), innerHeight - 1);
const top = document.elementFromPoint(x, y);
return {
  matches: here.matches(selector),
  what: here.outerHTML.slice(0, 120),
  outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
  inside,
  uncovered: !!top && (top === here || here.contains(top) || top.contains(here)),
};
"""


class Keyboard:
    """Tab, Enter, Space and letters; each stop of the focus is judged."""

    def __init__(self, browser):
        self.browser, self.driver = browser, browser.driver

    def tab(self, selector="*"):
        """One step on; says whether the focus is at the selector now. Fails where the focus cannot be seen."""
        self._send(Key.TAB)
        focus = self.driver.execute_script(FOCUS, selector)
        if focus is None:
            return False
        unseen = [word for word in ("outline", "inside", "uncovered") if not focus[word]]
        assert not unseen, f"the focus is not seen ({', '.join(unseen)}) on {self.browser.path}: {focus['what']}"
        return focus["matches"]

    def reach(self, selector):
        """Tabs on until the focus is there."""
        for _ in range(STOPS):
            if self.tab(selector):
                return self
        raise AssertionError(f"Tab does not reach {selector} on {self.browser.path}")

    def type(self, **values):
        """Reaches each field and types into it."""
        for name, value in values.items():
            self.reach(f"main [name='{name}']")
            self._send(value)

    def press(self, selector="main form[method=post] button:not([type=button])", key=Key.ENTER):
        """Reaches a button or a link, and presses it; the next page is there afterwards."""
        self.reach(selector)
        self.browser.leaving(lambda: self._send(key), selector)

    def _send(self, keys):
        self.driver.switch_to.active_element.send_keys(keys)
