"use strict";
// Only what a page cannot do without: a question before something that cannot be undone. Every form works without this.
for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset.confirm)) event.preventDefault();
  });
}

// A conversation: what is said meanwhile appears by itself, and what is being typed stays as it is.
{
  const said = document.getElementById("said");
  const news = document.getElementById("news");
  const refresh = async () => {
    if (document.hidden) return;
    const response = await fetch(said.dataset.address, { redirect: "error" });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("said");
    if (!fresh || fresh.innerHTML === said.innerHTML) return;
    said.replaceChildren(...fresh.childNodes);
    news.textContent = said.dataset.news;
  };
  const tryToRefresh = () => refresh().catch(() => undefined); // without a network now, the next try comes soon
  if (said) {
    window.setInterval(tryToRefresh, 20000);
    document.addEventListener("visibilitychange", tryToRefresh);
  }
}
