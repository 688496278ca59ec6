// Follows the log: fetches the page anew and puts what is new in the place of what is old.
// Without scripts the page reloads itself; Chromium, Firefox and Safari of 2020 and later run this.
"use strict";
(() => {
  const news = document.getElementById("news");
  const every = 1000 * Number(document.getElementById("live").dataset.every);
  const rowsOf = (root) => [...root.querySelectorAll(".log tbody tr")];

  const isInUse = (live) => {
    // Nobody likes a text to go away that is being marked, or a form that is being filled.
    const marked = document.getSelection();
    const isMarked = !marked.isCollapsed && live.contains(marked.anchorNode);
    return isMarked || live.querySelector(":scope input:focus, :scope select:focus") !== null;
  };

  const focusAgain = (live, link) => {
    const same = [...live.querySelectorAll("a")].find((each) => each.href === link);
    if (same) same.focus({ preventScroll: true });
  };

  const show = (text) => {
    const live = document.getElementById("live");
    const page = new DOMParser().parseFromString(text, "text/html");
    const next = page.getElementById("live");
    if (!next || isInUse(live)) return;
    const known = new Set(rowsOf(live).map((row) => row.id));
    const fresh = rowsOf(next).filter((row) => !known.has(row.id));
    fresh.forEach((row) => row.classList.add("fresh"));
    const focused = live.contains(document.activeElement) ? document.activeElement.href : null;
    const left = live.querySelector(".scroll")?.scrollLeft ?? 0;
    live.replaceWith(next);
    const table = next.querySelector(".scroll");
    if (table) table.scrollLeft = left;
    if (focused) focusAgain(next, focused);
    if (fresh.length) news.textContent = next.querySelector(".count").textContent.trim();
  };

  const look = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        if (answer.ok) show(await answer.text());
        else news.textContent = "The log cannot be read at the moment.";
      } catch {
        news.textContent = "The server does not answer.";
      }
    }
    setTimeout(look, every);
  };
  setTimeout(look, every);
})();
