// The page of the web chat: sends what the person says or presses, and shows what comes back or came unasked.
"use strict";

const log = document.getElementById("log");
const form = document.getElementById("form");
const question = document.getElementById("question");
const send = document.getElementById("send");
const status = document.getElementById("status");
const language = document.getElementById("language");
const labels = { ...document.getElementById("labels").dataset };
const noticesEvery = 30000; // milliseconds
let busy = false;
const shown = new Set(); // the numbers of notices: one that is given again is shown once
let seen = []; // the numbers of what was given last: it is given again until we say that we have it
let opened = false; // whether anything has been answered since the page was loaded

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function showOwn(text) {
  // With a direction of its own, it has no say in that of the words.
  const speaker = element("span", { className: "unseen", dir: document.dir, textContent: `${labels.you}: ` });
  const message = element("div", { className: "message own", dir: "auto", tabIndex: -1 }, speaker, text);
  log.append(message);
  message.scrollIntoView({ block: "end" });
  return message;
}

function button(data) {
  if (data.url) {
    return element("a", { href: data.url, target: "_blank", rel: "noopener", textContent: data.label });
  }
  const made = element("button", { type: "button", textContent: data.label });
  made.dataset.press = data.press;
  return made;
}

function save(file) {
  const bytes = Uint8Array.from(atob(file.content), (sign) => sign.charCodeAt(0));
  const href = URL.createObjectURL(new Blob([bytes], { type: file.type }));
  element("a", { href, download: file.name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000); // some browsers ask first where to save it
}

function extras(reply) {
  const shown = [];
  if (reply.venue) shown.push(button(reply.venue));
  if (reply.document) {
    const made = element("button", { type: "button", textContent: reply.document.label });
    made.addEventListener("click", () => save(reply.document));
    shown.push(made);
  }
  for (const extra of shown) extra.dir = "auto"; // names are in Dutch, whatever the language of the message
  return shown;
}

function showReply(reply, pressed) {
  // The server escapes what it sends; the page's policy allows no script in it.
  const body = element("div", { className: "body", innerHTML: reply.html });
  const rows = [extras(reply), ...reply.rows.map((row) => row.map(button))].filter((row) => row.length);
  const message = element("article", { className: "message", lang: reply.lang, dir: reply.dir, tabIndex: -1 }, body);
  if (rows.length) {
    message.append(element("div", { className: "rows" }, ...rows.map((row) => element("div", { className: "row" }, ...row))));
  }
  const old = reply.replaces && pressed ? pressed.closest("article") : null;
  if (old) old.replaceWith(message);
  else log.append(message);
  return message;
}

function speak(page) {
  Object.assign(document.documentElement, { lang: page.lang, dir: page.dir });
  Object.assign(labels, page.labels);
  document.title = labels.title;
  document.querySelector("label[for=question]").textContent = labels.question;
  question.placeholder = labels.question;
  send.textContent = labels.send;
  language.querySelector("span").textContent = labels.language;
  language.dataset.press = `ll:${page.lang}`;
}

function setBusy(now) {
  busy = now;
  send.ariaDisabled = now; // a button that is disabled loses the focus
}

async function ask(body, pressed) {
  if (busy) return false;
  setBusy(true);
  status.textContent = labels.writing;
  try {
    const answer = await fetch("/chat", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20000),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    const shown = said.replies.map((reply) => showReply(reply, pressed));
    if (said.page) speak(said.page);
    status.textContent = "";
    opened = true;
    if (shown.length) {
      shown[0].scrollIntoView({ block: "start" });
      if (pressed) shown[0].focus({ preventScroll: true });
    }
    return true;
  } catch (error) {
    status.textContent = error instanceof TypeError || error.name !== "Error" ? labels.offline : error.message || labels.offline;
    return false;
  } finally {
    setBusy(false);
  }
}

async function showNotices() {
  try {
    const address = seen.length ? `/chat/notices?seen=${seen}` : "/chat/notices";
    const answer = await fetch(address, { signal: AbortSignal.timeout(20000) });
    if (!answer.ok) return;
    const said = await answer.json();
    const messages = said.replies.filter((reply) => !shown.has(reply.id)).map((reply) => showReply(reply));
    seen = said.replies.map((reply) => reply.id);
    for (const number of seen) shown.add(number);
    if (messages.length) messages[0].scrollIntoView({ block: "nearest" });
  } catch {
    // The person asked for nothing, so there is nothing to say; the next time may be better.
  }
}


// What a visit begins with, as often as it takes on a bad network; from then on, what came unasked.
async function refresh() {
  if (document.hidden) return;
  if (opened || (await ask({}))) await showNotices();
}

async function deliver(text, own) {
  if (await ask({ text })) return;
  if (question.value) {
    own.append(sendAgain(text, own)); // somebody is writing something else by now
    own.scrollIntoView({ block: "end" });
  } else {
    own.remove();
    question.value = text;
  }
}

function sendAgain(text, own) {
  const made = element("button", { type: "button", textContent: send.textContent });
  made.addEventListener("click", () => {
    if (busy) return;
    made.remove();
    log.append(own); // above its answer, which comes last
    own.focus();
    deliver(text, own);
  });
  return made;
}

function submit() {
  const text = question.value.trim();
  if (!text || busy) return;
  question.value = "";
  deliver(text, showOwn(text));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  }
});
document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-press]");
  if (pressed) ask({ press: pressed.dataset.press }, pressed);
});
document.addEventListener("visibilitychange", refresh);
window.addEventListener("online", refresh);
setInterval(refresh, noticesEvery);
question.disabled = send.disabled = false;
refresh();
