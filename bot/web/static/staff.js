"use strict";
// Only what a page cannot do without: a question before something that cannot be undone. Every form works without this.
for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset.confirm)) event.preventDefault();
  });
}
