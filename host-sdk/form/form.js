// Hides fields whose condition (data-show-if) is false. Hidden fields keep their values. A list of
// problems with the id "problems" gets the focus, so that screen readers begin there.
"use strict";
(() => {
  const rows = document.querySelectorAll("[data-show-if]");
  const value = (key) => {
    const control = document.querySelector(`[data-field="${key}"] [name="option.${key}"]`);
    if (!control) return undefined;
    return control.type === "checkbox" ? control.checked : control.value;
  };
  const update = () => {
    for (const row of rows) {
      const { field, equals } = JSON.parse(row.dataset.showIf);
      const v = value(field);
      row.hidden = v !== undefined && !equals.includes(v) && !row.classList.contains("refused");
    }
  };
  document.addEventListener("change", update);
  update();
  document.getElementById("problems")?.focus();
})();
