// What the page does without the server: citation chips, sources in focus, theme, language, the drawer.
// Everything is delegated from the document, because Gradio redraws its elements as it likes.
(() => {
  "use strict";
  if (window.jinwen) return;

  const LANGUAGE = "jinwen.language", THEME = "jinwen.theme", CONVERSATION = "jinwen.conversation";
  const WIDE = window.matchMedia("(min-width: 1100px)");
  const NARROW = window.matchMedia("(max-width: 760px)");
  const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
  const stored = (store, key) => { try { return store.getItem(key); } catch { return null; } };
  const keep = (store, key, value) => { try { store.setItem(key, value); } catch { /* private mode */ } };
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Theme: the system's, until the person has chosen.
  const applyTheme = () => {
    const theme = stored(localStorage, THEME);
    if (theme) document.body.classList.toggle("dark", theme === "dark");
  };
  const toggleTheme = () => {
    keep(localStorage, THEME, document.body.classList.contains("dark") ? "light" : "dark");
    applyTheme();
  };

  // Language: the browser's, until the person has chosen.
  const language = () =>
    stored(localStorage, LANGUAGE) || ((navigator.language || "zh").toLowerCase().startsWith("zh") ? "zh" : "en");
  const setLanguage = (name) => {
    keep(localStorage, LANGUAGE, name);
    document.documentElement.lang = name;
    return name;
  };
  // The server is spoken to through hidden text boxes of Gradio.
  const field = (id) => find(`#${id} textarea, #${id} input`);
  const send = (id, value) => {
    const box = field(id);
    if (!box) return;
    box.value = value;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  // A wish (which language, which conversation) is granted when the server says its number back. Until the last one
  // is, whatever would begin or change a conversation waits: the answer to a wish must never overwrite it.
  const WISH_TRIES = 4, WISH_PATIENCE_MS = 15_000;
  const AWAITS_WISH =
    "#jw-box .submit-button, .jw-example, #jw-new, #jw-conversations label, #jw-drawer .jw-confirm button, .jw-tell";
  let wishes = 0, tries = 0, held = null;
  const outstanding = () => {
    const granted = (field("jw-granted")?.value || "").split(":").at(-1);
    return granted !== String(wishes) || wishes === 0;
  };
  const wish = () => {
    if (!field("jw-wish")) return;
    const mine = ++wishes;
    tries += 1;
    document.documentElement.lang = language();
    send("jw-wish", `${language()}:${stored(sessionStorage, CONVERSATION) || ""}:${mine}`);
    watchForGrant();
    // Asked again only when nothing came back for long, in case the page was not listening yet; and not for ever.
    setTimeout(() => { if (mine === wishes && outstanding() && tries < WISH_TRIES) wish(); }, WISH_PATIENCE_MS * tries);
  };
  let watching = 0;
  const watchForGrant = () => {  // the value of a text box changes without anything that an observer sees
    clearInterval(watching);
    watching = setInterval(() => {
      if (outstanding()) return;
      clearInterval(watching);
      boot();
    }, 200);
  };
  const boot = () => {
    if (wishes === 0) wish();
    if (outstanding()) return;
    tries = 0;
    if (!document.documentElement.classList.contains("jw-ready")) {
      document.documentElement.classList.add("jw-ready");
      if (WIDE.matches && document.activeElement === document.body) find("#jw-box textarea")?.focus();
    }
    keep(sessionStorage, CONVERSATION, field("jw-current").value);
    const act = held;
    held = null;
    if (act) setTimeout(act, 50);  // after Gradio has redrawn
  };
  const switchLanguage = () => {
    keep(localStorage, LANGUAGE, language() === "zh" ? "en" : "zh");
    tries = 0;
    wish();
  };
  const hold = (event, act) => {
    held = act;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener("click", (event) => {
    const awaiting = event.target instanceof Element && event.target.closest(AWAITS_WISH);
    if (awaiting && outstanding()) hold(event, () => awaiting.click());
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    if (event.target instanceof Element && event.target.closest("#jw-box") && outstanding()) {
      hold(event, () => find("#jw-box .submit-button")?.click());
    }
  }, true);

  // Sources in focus: those of the answer whose chip was used last, else of the latest answer.
  let pinned = "";
  const cardsInFocus = () => {
    const answers = all("#jw-chat .jw-answer").filter((answer) => find(".jw-cards", answer));
    return find(".jw-cards", answers.find((answer) => answer.id === pinned) || answers.at(-1) || document.createElement("i"));
  };
  const focusCards = () => {
    const chosen = cardsInFocus();
    for (const cards of all(".jw-cards.jw-on")) if (cards !== chosen) cards.classList.remove("jw-on");
    document.body.classList.toggle("jw-has-sources", Boolean(chosen));
    if (!chosen) return;
    chosen.classList.add("jw-on");
    if (WIDE.matches && !chosen.dataset.seen && !find("details[open]", chosen)) {
      chosen.dataset.seen = "1";
      const first = find("details", chosen);
      if (first) first.open = true;
    }
  };
  const centre = (mark, box) => {
    box.scrollTop += mark.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2 + 20;
  };
  const openCard = (card) => {
    const answer = card.closest(".jw-answer");
    if (answer) pinned = answer.id;
    focusCards();
    for (const other of all("details.jw-card[open]", card.parentElement)) if (other !== card) other.open = false;
    card.open = true;
    const quote = find(".jw-quote", card), mark = find("mark", quote);
    for (const lit of all(".jw-lit")) lit.classList.remove("jw-lit");
    card.classList.add("jw-lit");
    card.scrollIntoView({ block: "nearest", behavior: CALM.matches ? "auto" : "smooth" });
    if (mark) centre(mark, quote);
    quote.focus({ preventScroll: true });
  };

  const toggleStory = async (button) => {
    const quote = find(".jw-quote", button.closest(".jw-card"));
    const original = quote.jinwenQuote;
    if (button.classList.contains("jw-1")) {
      quote.innerHTML = original;
      quote.classList.remove("jw-whole");
      button.classList.remove("jw-1");
      return;
    }
    button.disabled = true;
    try {
      const reply = await fetch(`jinwen/story?${button.value}&language=${language()}`);
      if (!reply.ok) throw new Error(reply.statusText);
      quote.jinwenQuote = quote.innerHTML;
      quote.innerHTML = await reply.text();
      quote.classList.add("jw-whole");
      button.classList.remove("jw-2");
      button.classList.add("jw-1");
      const mark = find("mark", quote);
      if (mark) centre(mark, quote);
      quote.focus({ preventScroll: true });
    } catch {
      button.classList.add("jw-2");
    } finally {
      button.disabled = false;
    }
  };

  const copy = async (button) => {
    const content = find(".jw-copytext", button.parentElement).textContent;
    try {
      await navigator.clipboard.writeText(content);
    } catch {
      const area = document.createElement("textarea");
      area.value = content;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.classList.add("jw-1");
    setTimeout(() => button.classList.remove("jw-1"), 2000);
  };

  // A file of an answer, or of the open conversation: given to the page itself and to nobody else.
  const exportFile = async (button) => {
    const [form, answer] = button.value.split(":");
    const query = new URLSearchParams({ key: answer || field("jw-current").value, form, language: language() });
    button.classList.remove("jw-2");
    button.disabled = true;
    try {
      const reply = await fetch(`jinwen/export?${query}`);
      if (!reply.ok) throw new Error(reply.statusText);
      const link = document.createElement("a");
      link.download = decodeURIComponent(reply.headers.get("content-disposition").split("''").at(-1));
      link.href = URL.createObjectURL(await reply.blob());
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch {
      button.classList.add("jw-2");
    } finally {
      button.disabled = false;
      button.focus();
    }
  };

  // A row of the library tells the server which article to open.
  const pick = (row) => {
    for (const other of all(".jw-row.jw-picked")) other.classList.remove("jw-picked");
    row.classList.add("jw-picked");
    document.body.classList.add("jw-reading");  // on a phone the reader takes the place of the list
    send("jw-pick", row.value);
  };

  // A button of the evaluation tells the server what is to be done; the number makes every press another value.
  let told = 0;
  const tell = (button) => {
    send("jw-tell", `${++told}:${button.value}`);
    const main = find(".jw-ev-main", button.closest(".jw-ev-split") || document.createElement("i"));
    if (main && NARROW.matches) setTimeout(() => main.scrollIntoView(), 700);  // a list above what it opens
  };

  const toggleDrawer = (open) => {
    const now = document.body.classList.toggle("jw-drawer-open", open);
    const button = find("#jw-menu");
    if (button) button.setAttribute("aria-expanded", String(now));
  };
  const leaveDrawer = () => {
    if (!WIDE.matches) toggleDrawer(false);
    setTimeout(() => find("#jw-box textarea")?.focus(), 50);
  };

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const chip = target.closest("a.jw-chip"), button = target.closest("button");
    if (chip) {
      const card = document.getElementById(chip.getAttribute("href").split("#")[1]);
      event.preventDefault();
      event.stopPropagation();
      if (card) openCard(card);
    } else if (button?.matches(".jw-story")) toggleStory(button);
    else if (button?.matches(".jw-copy")) copy(button);
    else if (button?.matches(".jw-export")) exportFile(button);
    else if (button?.matches(".jw-show")) {
      const card = find("details.jw-card", button.closest(".jw-answer"));
      if (card) openCard(card);
    } else if (button?.matches(".jw-tell")) tell(button);
    else if (button?.matches(".jw-row")) pick(button);
    else if (button?.matches(".jw-back")) document.body.classList.remove("jw-reading");
    else if (button?.matches("#jw-switch-theme")) toggleTheme();
    else if (button?.matches("#jw-switch-language")) switchLanguage();
    else if (button?.matches("#jw-menu")) toggleDrawer();
    else if (button?.matches("#jw-drawer-close") || target.matches("#jw-shade")) toggleDrawer(false);
    else if (button?.matches("#jw-new")) leaveDrawer();
  }, true);

  document.addEventListener("change", (event) => {
    if (event.target instanceof Element && event.target.closest("#jw-conversations")) leaveDrawer();
  });

  // Enter that confirms a choice of an input method must not send the question.
  for (const kind of ["keydown", "keypress"]) {
    document.addEventListener(kind, (event) => {
      if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) event.stopPropagation();
    }, true);
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains("jw-drawer-open")) {
      toggleDrawer(false);
      find("#jw-menu")?.focus();
    }
  }, true);

  // Files dropped anywhere on the library tab, or on the lists of the evaluation, are added like chosen ones.
  const dropZone = (event) =>
    event.target instanceof Element ? event.target.closest("#jw-library, #jw-ev-runs, #jw-ev-sets") : null;
  const carriesFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
    document.body.classList.toggle("jw-dropping", Boolean(carriesFiles(event) && dropZone(event)));
  });
  document.addEventListener("dragleave", () => document.body.classList.remove("jw-dropping"));
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("jw-dropping");
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const zone = dropZone(event), input = zone && find("input[type=file]", zone);
    if (!input) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // Gradio names these controls in English or not at all; they take their names from the page's own texts.
  const tidy = () => {
    for (const input of all(".jw-date input[type=text]")) input.type = "date";
    for (const log of all("#jw-chat [role=log]")) log.setAttribute("aria-label", find("#jw-tabs button[role=tab]")?.textContent.trim() || "");
    focusCards();
    boot();
  };
  let waiting = 0;
  const tidySoon = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(tidy); };
  const begin = () => {
    applyTheme();
    new MutationObserver(applyTheme).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    new MutationObserver(tidySoon).observe(document.body, { childList: true, subtree: true });
    const shade = document.createElement("div");
    shade.id = "jw-shade";
    document.body.append(shade);
    setTimeout(() => document.documentElement.classList.add("jw-ready"), 5000);
    tidySoon();
  };
  if (document.body) begin(); else document.addEventListener("DOMContentLoaded", begin);

  window.jinwen = true;
})();
