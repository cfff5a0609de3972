"use strict";
(() => {
  const lost = document.getElementById("lost");
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
  const refresh = async () => {
    try {
      // The path as the browser knows it: a proxy may have put something in front.
      const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(5000) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const [before, after] = [document.querySelector("main"), page.querySelector("main")];
      if (!answer.ok || !after) throw new Error(answer.status);
      localise(after);
      // What did not change is left alone, so that it can be read out and copied.
      const [olds, news] = [[...before.children], [...after.children]];
      if (olds.length !== news.length) before.replaceWith(after);
      else news.forEach((part, i) => olds[i].outerHTML === part.outerHTML || olds[i].replaceWith(part));
      document.title = page.title;
      lost.hidden = true;
    } catch {
      lost.hidden = false;
    }
    setTimeout(refresh, document.hidden ? 15000 : 2000);
  };
  localise(document);
  setTimeout(refresh, 2000);
})();
