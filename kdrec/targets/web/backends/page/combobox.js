// A search field with a list under it, by the combobox pattern of WAI-ARIA: arrows, Enter, Escape, or a tap.

/**
 * @param {HTMLInputElement} field
 * @param {HTMLUListElement} list
 * @param {(text: string) => {label: string, note: string, choose: () => void}[]} find what a text may mean
 */
export function combobox(field, list, find) {
  let active = -1;

  function close() {
    list.hidden = true;
    list.replaceChildren();
    active = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function open() {
    close();
    const found = find(field.value);
    list.append(...found.map(option));
    list.hidden = field.value.trim() === "";
    if (found.length === 0 && !list.hidden) list.append(nothing());
    field.setAttribute("aria-expanded", String(!list.hidden));
    if (found.length > 0) move(0);
  }

  function option({ label, note, choose }, number) {
    const line = document.createElement("li");
    line.id = `option-${number}`;
    line.role = "option";
    line.append(label, Object.assign(document.createElement("small"), { textContent: note }));
    // The field keeps the focus: the next item can be typed at once.
    line.addEventListener("pointerdown", (event) => event.preventDefault());
    line.addEventListener("click", () => {
      field.value = "";
      close();
      choose();
    });
    return line;
  }

  function nothing() {
    const line = Object.assign(document.createElement("li"), { textContent: "No item of this name", className: "none" });
    line.role = "presentation";
    return line;
  }

  function move(to) {
    const options = list.querySelectorAll("[role=option]");
    if (options.length === 0) return;
    active = (to + options.length) % options.length;
    options.forEach((each, number) => each.setAttribute("aria-selected", String(number === active)));
    options[active].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", options[active].id);
  }

  field.addEventListener("input", open);
  field.addEventListener("focus", open);
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open();
      else move(active + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      list.querySelector("[aria-selected=true]")?.click();
    } else if (event.key === "Escape") {
      field.value = "";
      close();
    }
  });
}
