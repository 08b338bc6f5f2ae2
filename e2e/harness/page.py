"""A page as somebody without JavaScript uses it: text, links and forms."""

from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup


class Page:
    """One answer, with what is needed to press its buttons."""

    def __init__(self, answer):
        self.answer = answer
        self.status = answer.status_code
        self.url = answer.url
        self.path = urlsplit(answer.url).path
        self.html = BeautifulSoup(answer.text, "html.parser")

    def __str__(self):
        main = self.html.find("main") or self.html
        return f"{self.status} {self.url}\n{main.get_text(' ', strip=True)[:1500]}"

    def text(self, selector):
        """The text of the one element that the selector names, or None."""
        found = self.html.select_one(selector)
        return found and found.get_text().strip()

    def texts(self, selector):
        """The texts of all elements that the selector names."""
        return [found.get_text().strip() for found in self.html.select(selector)]

    def attribute(self, name):
        """The value of the first attribute of this name, or None."""
        found = self.html.find(attrs={name: True})
        return found and found[name]

    def links(self):
        """The paths of the links in the main part, in their order, with query."""
        main = self.html.find("main") or self.html
        parts = [urlsplit(urljoin(self.url, link["href"])) for link in main.find_all("a", href=True)]
        return [part.path + (f"?{part.query}" if part.query else "") for part in parts]

    def forms(self):
        """All POST forms of the main part."""
        main = self.html.find("main") or self.html
        return [Form(self, form) for form in main.find_all("form") if form.get("method", "get").lower() == "post"]

    def form(self, *fields, without=()):
        """The one form that has all these fields and none of those."""
        found = [f for f in self.forms() if all(n in f.names for n in fields) and not any(n in f.names for n in without)]
        assert found, f"no form with {fields} on {self}\nforms: {[(f.action, sorted(f.names)) for f in self.forms()]}"
        return found[0]

    def has_form(self, *fields):
        """Whether some form has all these fields."""
        return any(all(name in form.names for name in fields) for form in self.forms())


class Form:
    """One form: where it goes, what it would send."""

    def __init__(self, page, element):
        self.action = urljoin(page.url, element.get("action") or page.url)
        self.values = {}
        self.names = set()
        for field in element.find_all(["input", "select", "textarea"]):
            name, kind = field.get("name"), field.get("type", "text")
            if not name:
                continue
            self.names.add(name)
            if field.name == "select":
                chosen = field.find("option", selected=True) or field.find("option")
                self.values[name] = chosen.get("value", chosen.text) if chosen else ""
            elif field.name == "textarea":
                self.values[name] = field.text
            elif kind not in ("checkbox", "radio") or field.has_attr("checked"):
                self.values[name] = field.get("value", "on" if kind == "checkbox" else "")
        # A button with a name is sent only when it is the one that is pressed.
        self.names |= {button["name"] for button in element.find_all("button") if button.get("name")}

    def filled(self, **values):
        """What the form sends with these values typed in; a field it does not have cannot be typed into."""
        unknown = set(values) - self.names
        assert not unknown, f"the form to {self.action} has no {sorted(unknown)}, only {sorted(self.names)}"
        return {**self.values, **{name: str(value) for name, value in values.items()}}
