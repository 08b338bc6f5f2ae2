// Copy, download and print buttons. Without this module they stay hidden, and the text beside them can be selected.

function text(button, id) {
  const source = document.getElementById(id);
  const lines = button.dataset.lines;
  if (!lines) return source.textContent.trim();
  return Array.from(source.querySelectorAll(lines), (line) => line.textContent.trim()).join("\n");
}

const spoken = document.createElement("p");
spoken.className = "unseen";
spoken.setAttribute("role", "status");
document.querySelector("main").append(spoken);

function say(button, word) {
  spoken.textContent = word;
  if (button.dataset.said) return;
  const label = Array.from(button.childNodes);
  button.dataset.said = word;
  button.replaceChildren(word);
  setTimeout(() => {
    button.replaceChildren(...label);
    delete button.dataset.said;
    spoken.textContent = "";
  }, 1500);
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(text(button, button.dataset.copy));
    say(button, "Copied");
  } catch {
    const range = document.createRange();
    range.selectNodeContents(document.getElementById(button.dataset.copy));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    say(button, "Selected");
  }
}

function download(button) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text(button, button.dataset.download) + "\n"], { type: "text/plain" }));
  link.download = button.dataset.file;
  link.click();
  URL.revokeObjectURL(link.href);
}

const acts = [
  ["[data-copy]", copy],
  ["[data-download]", download],
  ["[data-print]", () => window.print()],
];

for (const [selector, act] of acts) {
  for (const button of document.querySelectorAll(selector)) {
    if (button.tagName !== "BUTTON") continue;
    button.hidden = false;
    button.addEventListener("click", () => act(button));
  }
}

document.querySelector("[data-focus]")?.focus();
