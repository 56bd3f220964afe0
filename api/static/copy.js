// Gives every command of the index a button that copies it. Without JavaScript it can be selected.
"use strict";

for (const command of document.querySelectorAll(".command")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-describedby", command.querySelector("pre").getAttribute("aria-labelledby"));
  button.addEventListener("click", () => copy(command.querySelector("code"), button));
  command.append(button);
}

async function copy(code, button) {
  const copied = (await write(code.textContent)) || select(code);
  button.textContent = copied ? "Copied" : "Selected";
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

/** Write to the clipboard; browsers lend it to pages under https and to localhost only. */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Select the command, and copy the selection where the browser still can. */
function select(code) {
  getSelection().selectAllChildren(code);
  return document.execCommand("copy");
}
