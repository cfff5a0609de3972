"use strict";
(() => {
  const lost = document.getElementById("lost");
  const icon = document.querySelector("link[rel=icon]");
  const form = document.querySelector("form[role=search]");
  const fields = "input, select, textarea";
  let timer;

  // In the reader's own time and habits; the date only if it is not today.
  const localise = (root) => {
    for (const time of root.querySelectorAll("time")) {
      const moment = new Date(time.dateTime);
      const hours = { hour: "2-digit", minute: "2-digit" };
      const isToday = moment.toDateString() === new Date().toDateString();
      time.textContent = isToday ? moment.toLocaleTimeString([], hours)
        : moment.toLocaleString([], { ...hours, day: "numeric", month: "short" });
    }
  };

  // Somebody types there, or has typed something that was not sent yet.
  const isInUse = (part) => {
    const all = [part, ...part.querySelectorAll(fields)].filter((field) => field.matches(fields));
    return all.some((field) => field === document.activeElement || "defaultValue" in field && field.value !== field.defaultValue);
  };

  // Changes only what changed, so that the rest can be read out, copied and filled in meanwhile.
  const update = (old, now) => {
    if (old.isEqualNode(now)) return;
    const [olds, nows] = [[...old.children], [...now.children]];
    const hasText = (part) => [...part.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const isAlike = (one, i) => one.tagName === nows[i].tagName && one.id === nows[i].id;
    if (olds.length && olds.length === nows.length && olds.every(isAlike) && !hasText(old) && !hasText(now)) {
      for (const name of new Set([...old.getAttributeNames(), ...now.getAttributeNames()])) {
        if (name === "open") continue; // Of a <details>: the reader's.
        if (now.hasAttribute(name)) old.setAttribute(name, now.getAttribute(name));
        else old.removeAttribute(name);
      }
      olds.forEach((one, i) => update(one, nows[i]));
    } else if (!isInUse(old)) {
      const link = old.contains(document.activeElement) && document.activeElement.getAttribute("href");
      old.replaceWith(now);
      if (link) now.querySelector(`[href="${CSS.escape(link)}"]`)?.focus();
    }
  };

  const refresh = async () => {
    clearTimeout(timer);
    const [began, asked] = [performance.now(), location.search];
    try {
      // The path as the browser knows it: a proxy may have put something in front.
      const answer = await fetch(location.pathname + asked, { cache: "no-store", signal: AbortSignal.timeout(5000) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = page.querySelector("main");
      if (!answer.ok || !main) throw new Error(answer.status);
      // Else somebody typed on meanwhile, and the answer to that is under way.
      if (asked === location.search) {
        localise(main);
        update(document.querySelector("main"), main);
        document.title = page.title;
        icon.href = page.querySelector("link[rel=icon]").href;
        lost.hidden = true;
      }
    } catch {
      document.title = `✖ ${document.querySelector("h1").textContent} does not answer`;
      icon.href = icon.dataset.gone;
      lost.hidden = false;
    }
    clearTimeout(timer);
    // Many people are asked for less often: they take the bridge longer.
    timer = setTimeout(refresh, document.hidden ? 15000 : Math.max(2000, 20 * (performance.now() - began)));
  };

  form.addEventListener("input", () => {
    const wanted = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    history.replaceState(null, "", location.pathname + (wanted.size ? `?${wanted}` : ""));
    clearTimeout(timer);
    timer = setTimeout(refresh, 150);
  });
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  localise(document);
  timer = setTimeout(refresh, 2000);
})();
