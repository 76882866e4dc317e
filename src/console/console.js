/**
 * The console's one script. Every page works without it; it keeps forms from being sent twice, and finds the
 * rest of its work by attributes:
 * - `<button data-copy="#id" hidden>` copies that element's text
 * - `<form data-confirm="question" data-yes="label">` asks in a dialog, then posts with `confirmed=yes`
 * - `<select data-submit-on-change>` posts its form, whose button goes away
 * - `<button data-set-all="value" hidden>` chooses that value in every radio and select of its `[data-group]`
 * - `<div data-show-when="name=value">` (several: `name=a|b`) shows only while that is chosen in its form
 * - `<form data-send-file="/path">` sends its file as a stream, with progress; the JSON texts that answer it, a line
 *   each, go to `[data-results]`, the last one first
 */

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const make = (name, properties) => Object.assign(document.createElement(name), properties);

for (const button of all("[data-copy]")) {
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    const source = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Press Ctrl+C";
    }
    say(button.textContent);
    setTimeout(() => {
      button.textContent = label;
    }, 2500);
  });
}

let status;
function say(text) {
  status ??= document.body.appendChild(make("div", { className: "unseen", role: "status" }));
  status.textContent = text;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const asked = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (asked === undefined || form.dataset.sure !== undefined) return;
  event.preventDefault();
  const dialog = make("dialog");
  const text = make("p", { id: "confirm-text", textContent: asked });
  const buttons = make("div", { className: "buttons" });
  const button = (label, className) => {
    const made = make("button", { type: "button", textContent: label, className });
    buttons.append(made);
    return made;
  };
  const yes = button(event.submitter?.dataset.yes ?? form.dataset.yes ?? "Yes", "button primary");
  const no = button("Cancel", "button");
  dialog.setAttribute("aria-labelledby", "confirm-text");
  dialog.append(text, buttons);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  no.addEventListener("click", () => dialog.close());
  yes.addEventListener("click", () => {
    form.dataset.sure = "";
    form.append(make("input", { type: "hidden", name: "confirmed", value: "yes" }));
    dialog.close();
    form.requestSubmit(event.submitter);
  });
  dialog.showModal();
});

// A form on its way is not sent again by an impatient second click. Not for ever: a download leaves the page as it is.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.ariaBusy === "true") return event.preventDefault();
  form.ariaBusy = "true";
  setTimeout(() => {
    form.ariaBusy = null;
  }, 5000);
});

for (const select of all("[data-submit-on-change]")) {
  for (const button of all("button", select.form)) button.hidden = true;
  select.addEventListener("change", () => select.form.requestSubmit());
}

for (const button of all("[data-set-all]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const value = button.dataset.setAll;
    const group = button.closest("[data-group]");
    for (const radio of all("input[type=radio]", group))
      if (radio.value === value && !radio.disabled) radio.checked = true;
    for (const box of all("input[type=checkbox]", group)) if (!box.disabled) box.checked = value === "on";
    for (const select of all("select", group)) select.value = value;
    group.dispatchEvent(new Event("change", { bubbles: true }));
    say(button.textContent);
  });
}

const shown = all("[data-show-when]");
function showWhatApplies() {
  for (const part of shown) {
    const [name, values] = part.dataset.showWhen.split("=");
    const chosen = new FormData(part.closest("form")).getAll(name);
    part.hidden = !values.split("|").some((value) => chosen.includes(value));
  }
}
if (shown.length > 0) {
  document.addEventListener("change", showWhatApplies);
  // A browser that goes back may fill a form in again after this has run.
  addEventListener("pageshow", showWhatApplies);
  showWhatApplies();
}

for (const form of all("form[data-send-file]")) {
  form.addEventListener("submit", (event) => {
    const file = form.querySelector("input[type=file]").files[0];
    if (file === undefined) return;
    event.preventDefault();
    const progress = form.querySelector("progress");
    const results = document.querySelector("[data-results]");
    const button = form.querySelector("button[type=submit]");
    progress.hidden = false;
    results.hidden = true;
    button.disabled = true;
    const request = new XMLHttpRequest();
    request.open("POST", form.dataset.sendFile);
    request.setRequestHeader("content-type", "application/x-ndjson");
    request.setRequestHeader("x-postern-form", form.elements.form_token.value);
    request.upload.onprogress = ({ loaded, total }) => {
      progress.max = total;
      progress.value = loaded;
    };
    request.onloadend = () => {
      progress.hidden = true;
      button.disabled = false;
      results.textContent =
        request.status === 0
          ? JSON.stringify("The connection was lost. It is safe to send the file again.")
          : request.responseText;
      results.hidden = false;
      results.focus();
      results.dispatchEvent(new CustomEvent("results", { bubbles: true }));
    };
    request.send(file);
  });
}

/* Admin: the answer to an import is a JSON text a line, failures first, what came of it all last. */
document.addEventListener("results", ({ target: results }) => {
  const texts = results.textContent
    .split(String.fromCharCode(10))
    .filter((line) => line.startsWith('"'))
    .map((line) => JSON.parse(line));
  const end = texts.pop() ?? "The gateway did not take the file. Reload this page, and send it again.";
  const add = (parent, name, properties) => parent.appendChild(make(name, properties));
  results.textContent = "";
  const notice = add(results, "div", { className: `notice ${texts.length > 0 ? "warning" : "info"}` });
  notice.setAttribute("role", "status");
  add(notice, "strong", { textContent: "Import" });
  add(notice, "p", { textContent: end });
  if (texts.length === 0) return;
  add(results, "h3", { textContent: "Lines that failed" });
  const list = add(results, "ul", { className: "plain" });
  for (const textContent of texts) add(list, "li", { textContent });
});
