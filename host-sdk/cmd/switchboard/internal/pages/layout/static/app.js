// Makes the pages live; they work without it. It shows times in the viewer's own zone, reads live
// parts again when the event stream says that something has changed, copies text, and sends each
// form once.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const now = () => Date.now();

  // Times.
  const parts = new Intl.DateTimeFormat("en-US", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const zones = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" });
  const part = (format, t) => Object.fromEntries(format.formatToParts(t).map((p) => [p.type, p.value]));
  // One spelling, which is the server's too: of shifts, and of pages without scripts.
  const spell = (t) => {
    const p = part(parts, t), minute = `${p.day} ${p.month} ${p.hour}:${p.minute}`;
    return { clock: `${p.hour}:${p.minute}:${p.second}`, minute, full: `${p.weekday} ${minute} ${part(zones, t).timeZoneName}` };
  };
  const age = (ms) => {
    const s = Math.floor(ms / 1000);
    if (s < 10) return "just now";
    if (s < 60) return `${s - (s % 10)} s ago`;
    if (s < 3600) return `${Math.floor(s / 60)} min ago`;
    if (s < 172800) return `${Math.floor(s / 3600)} h ago`;
    return `${Math.floor(s / 86400)} days ago`;
  };
  const showTimes = (root) => {
    for (const el of root.querySelectorAll("time[data-time]")) {
      const t = new Date(el.dateTime), said = spell(t);
      let text;
      if (el.dataset.time === "age") text = age(now() - t);
      else if (el.dataset.time === "local") text = said.full;
      else text = t.toDateString() === new Date().toDateString() ? said.clock : said.minute;
      if (el.textContent !== text) el.textContent = text;
      el.title = said.full;
    }
  };
  showTimes(document);
  setInterval(() => showTimes(document), 10000);

  // Copying.
  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const field = $(button.dataset.copy);
      field.select();
      let done = true;
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        done = document.execCommand("copy"); // pages served over http have no clipboard
      }
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      $("announce").textContent = button.textContent;
      setTimeout(() => { button.textContent = label; }, 2500);
    });
  }

  // Going back to a form that was refused shows it anew: the browser would ask whether to send it once
  // more, on a page of its own.
  if ($("problems")) history.replaceState(null, "", location.href);

  // A form that has been submitted is not submitted again. Going back to the page makes it usable.
  document.addEventListener("submit", (e) => {
    const form = e.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) return e.preventDefault();
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of document.forms) {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    }
  });

  // The panel of the current person closes with Escape and with a click outside.
  const who = $("who");
  if (who) {
    document.addEventListener("click", (e) => { if (!who.contains(e.target)) who.open = false; });
    document.addEventListener("keydown", (e) => {
      if (e.key === "Escape" && who.open) { who.open = false; who.querySelector("summary").focus(); }
    });
  }

  // Live parts.
  const address = document.body.dataset.events;
  const poll = Number(document.body.dataset.poll); // seconds: whoever was let in by the link in a page has no stream
  if (!address && !poll) return;
  const kept = () => document.body.dataset.kept; // this tab goes on while it is hidden: see notify.js
  const banner = $("connection");
  const server = new Map(); // live parts as the server sent them, by id: only a part that has changed there is replaced
  for (const part of document.querySelectorAll("[data-live]")) server.set(part.id, part.innerHTML);
  const say = (text, link) => {
    if (banner.dataset.text === text) return;
    banner.dataset.text = text;
    banner.textContent = text;
    banner.hidden = !text;
    if (link) {
      const a = document.createElement("a");
      a.href = link;
      a.textContent = "Log in";
      banner.append(" ", a);
    }
  };
  const playing = (part) => [...part.querySelectorAll("audio")].some((a) => !a.paused && !a.ended && !a.error);
  const busy = (part) => {
    const at = document.activeElement;
    return part.contains(at) && /^(SELECT|INPUT|TEXTAREA)$/.test(at.tagName);
  };
  const exchange = (doc) => {
    if (document.title !== doc.title) document.title = doc.title; // it counts the alerts that wait
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = doc.getElementById(part.id);
      if (!fresh || fresh.innerHTML === server.get(part.id) || playing(part) || busy(part)) continue;
      const focused = part.contains(document.activeElement) ? document.activeElement : null;
      const chosen = [...part.querySelectorAll("select[id]")].map((s) => [s.id, s.value]);
      const opened = [...part.querySelectorAll("details[id][open]")].map((d) => d.id);
      server.set(part.id, fresh.innerHTML);
      part.replaceChildren(...document.importNode(fresh, true).childNodes);
      showTimes(part);
      for (const id of opened) if ($(id)) $(id).open = true;
      for (const [id, value] of chosen) if ($(id)) $(id).value = value;
      if (focused) {
        const again = (focused.id && $(focused.id)) || [...part.querySelectorAll("a")].find((a) => a.href === focused.href);
        if (again) again.focus({ preventScroll: true });
      }
      if (fresh.dataset.summary && fresh.dataset.summary !== part.dataset.summary) {
        part.dataset.summary = fresh.dataset.summary;
        $("announce").textContent = fresh.dataset.summary;
      }
    }
  };
  let reading = false, again = false, ended = false;
  const read = async () => {
    if (ended) return;
    if (reading) { again = true; return; }
    reading = true;
    try {
      const answer = await fetch(location.href.split("#")[0], { headers: { "Switchboard-Fragment": "1" }, credentials: "same-origin" });
      if (answer.status === 401) {
        ended = true;
        leave();
        say("You are no longer logged in. This page is no longer updated.", location.href);
      } else if (answer.ok) {
        exchange(new DOMParser().parseFromString(await answer.text(), "text/html"));
      }
    } catch { /* the stream reports a lost connection */ }
    setTimeout(() => {
      reading = false;
      if (again) { again = false; read(); }
    }, 500);
  };
  let stream, lost = false, retry = 1000;
  const listen = () => {
    if (!address || (document.hidden && !kept()) || ended || (stream && stream.readyState !== EventSource.CLOSED)) return;
    stream = new EventSource(address);
    stream.addEventListener("open", () => {
      retry = 1000;
      lost = false;
      say("");
      read(); // catches up with changes since the page was made, or while there was no stream
    });
    stream.addEventListener("alert", (e) => {
      read();
      document.dispatchEvent(new CustomEvent("alert-changed", { detail: e.data }));
    });
    stream.addEventListener("call", read);
    stream.addEventListener("error", () => {
      if (ended) return;
      lost = true;
      say("The connection to switchboard is lost. This page may be out of date. Reconnecting…");
      read(); // says so if the session has expired
      if (stream.readyState === EventSource.CLOSED) {
        setTimeout(listen, retry);
        retry = Math.min(retry * 2, 15000);
      }
    });
  };
  // A recording that was played nearly to its end counts as heard. Media events do not bubble.
  const heard = async (e) => {
    const form = e.target.dataset.heard && $(e.target.dataset.heard);
    if (!form || form.dataset.sent || e.target.currentTime < e.target.duration * 0.8) return;
    form.dataset.sent = "1";
    try {
      await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin" });
      form.hidden = true;
    } catch { delete form.dataset.sent; }
  };
  document.addEventListener("timeupdate", heard, true);
  // What has changed while it played, such as that it was deleted, is shown when it stops.
  for (const stop of ["pause", "error"]) document.addEventListener(stop, read, true);
  document.addEventListener("ended", (e) => { if (e.target.dataset.heard) heard(e).then(read); }, true);
  const leave = () => { if (stream) stream.close(); };
  const come = () => { listen(); read(); };
  listen();
  // Events can be lost, and other hosts on the same database have events of their own.
  setInterval(() => { if ((!document.hidden || kept()) && !lost) read(); }, (poll || 30) * 1000);
  // A hidden tab holds no connection: browsers allow only a few to one host.
  document.addEventListener("visibilitychange", () => (document.hidden && !kept() ? leave() : come()));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (e) => { if (e.persisted) come(); });
})();
