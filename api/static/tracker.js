// Sends views and clicks of elements with data-track="title"; data-track-NAME="value" becomes a field of the payload.
// On the script: data-key (write key), data-endpoint. On it or any element: data-user-id. No cookies.
(() => {
  const script = document.currentScript, nav = navigator, keyOf = (name) => "clickstream." + name;
  const SECOND = 1000, IDLE = 30 * 60 * SECOND, MAX_BATCH = 50, MAX_BODY = 60000, MAX_KEPT = 1000;

  const memory = {};
  const store = {
    get(name) {
      try { return localStorage.getItem(keyOf(name)); } catch { return memory[name]; }
    },
    set(name, value) {
      try { localStorage.setItem(keyOf(name), value); } catch { memory[name] = value; }
    },
  };
  if (nav.doNotTrack === "1" || window.doNotTrack === "1" || nav.globalPrivacyControl) {
    try { ["user", "session", "waiting"].forEach((name) => localStorage.removeItem(keyOf(name))); } catch {}
    return;
  }

  const endpoint = new URL(script.dataset.endpoint || "/events", script.src);
  endpoint.searchParams.set("source", "tracker");
  if (script.dataset.key) endpoint.searchParams.set("key", script.dataset.key);

  const random = () => crypto.getRandomValues(new BigUint64Array(1))[0];

  function userId() {
    const own = document.querySelector("[data-user-id]")?.dataset.userId;
    if (/^\d{1,19}$/.test(own)) return own;
    if (!store.get("user")) store.set("user", String(random() >> 11n));
    return store.get("user");
  }

  function sessionId() {
    const now = Date.now();
    let [id, last] = (store.get("session") || "").split(" ");
    if (!id || now - last > IDLE) id = random().toString(36) + random().toString(36);
    store.set("session", id + " " + now);
    return id;
  }

  // The nearest id, and the way from there.
  function selector(element) {
    let path = "";
    for (let node = element; node && node !== document.documentElement; node = node.parentElement) {
      if (node.id) return "#" + CSS.escape(node.id) + path;
      const alike = [...node.parentElement.children].filter((other) => other.tagName === node.tagName);
      const place = alike.length > 1 ? `:nth-of-type(${alike.indexOf(node) + 1})` : "";
      path = " > " + node.tagName.toLowerCase() + place + path;
    }
    return path.slice(3);
  }

  // An anchor is no page of its own, a route of a single-page router is.
  const address = () => location.href.replace(/#(?![/!]).*/, "");
  // A cut must not leave half of a character, which no JSON may have.
  const cut = (text, length) => text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");

  let queue = [], timer, page = address(), referrer = document.referrer;

  function record(type, element, position) {
    const payload = {};
    for (const [name, value] of Object.entries(element.dataset)) {
      if (/^track./.test(name)) payload[name[5].toLowerCase() + name.slice(6)] = cut(value, 1000);
    }
    Object.assign(payload, {
      event_title: cut(element.dataset.track || element.tagName.toLowerCase(), 500),
      element_id: cut(selector(element), 1000),
    }, position);
    queue.push({
      id: String(random()), type, created_at: new Date().toISOString(), session_id: sessionId(),
      user_id: userId(), url: cut(page, 8000), referrer: cut(referrer, 8000), payload,
    });
    if (queue.length >= MAX_BATCH) send();
    else timer ||= setTimeout(send, 2 * SECOND);
  }

  // What could not be sent waits in the storage, for whichever page comes next.
  const waiting = () => JSON.parse(store.get("waiting") || "[]");
  const keep = (events) => store.set("waiting", JSON.stringify([...waiting(), ...events].slice(-MAX_KEPT)));
  let pause = SECOND, failing = false, sending = false;

  function take() {
    queue.unshift(...waiting());
    store.set("waiting", "[]");
    let count = Math.min(queue.length, MAX_BATCH);
    while (count > 1 && JSON.stringify(queue.slice(0, count)).length > MAX_BODY) count >>= 1;
    return queue.splice(0, count);
  }

  async function send() {
    clearTimeout(timer);
    timer = 0;
    if (sending) return;
    const events = take();
    if (!events.length) return;
    sending = true;
    let retry = 0;
    try {
      const body = JSON.stringify(events);
      const answer = await fetch(endpoint, { method: "POST", body, keepalive: true, credentials: "omit" });
      if (answer.status === 429 || answer.status >= 500) retry = answer.headers.get("Retry-After") * SECOND || pause;
      else if (answer.status !== 202) console.warn("clickstream:", await answer.text());
    } catch {
      retry = pause;
    }
    sending = false;
    failing = retry > 0;
    pause = failing ? Math.min(2 * pause, 300 * SECOND) : SECOND;
    if (failing) keep(events.concat(queue.splice(0)));
    if (failing || queue.length) timer ||= setTimeout(send, retry);
  }

  function leave() {
    clearTimeout(timer);
    timer = 0;
    while (nav.onLine && !failing && queue.length) {
      const events = take();
      if (!nav.sendBeacon(endpoint, JSON.stringify(events))) {
        queue.unshift(...events);
        break;
      }
    }
    if (queue.length) keep(queue.splice(0));
  }

  // A view: half of the element for a second, once a page view.
  const seen = new Set(), timers = new Map();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, intersectionRatio } of entries) {
      clearTimeout(timers.get(target));
      timers.delete(target);
      if (intersectionRatio < 0.5 || document.hidden) continue;
      timers.set(target, setTimeout(() => {
        const name = target.dataset.track + selector(target);
        if (!target.isConnected || seen.has(name)) return;
        seen.add(name);
        record("view", target);
      }, SECOND));
    }
  }, { threshold: 0.5 });

  function watch() {
    timers.forEach(clearTimeout);
    timers.clear();
    watcher.disconnect();
    document.querySelectorAll("[data-track]").forEach((element) => watcher.observe(element));
  }

  function turnPage(again) {
    if (address() === page && again !== true) return;
    referrer = page;
    page = address();
    seen.clear();
    watch();
  }

  addEventListener("click", (event) => {
    const element = event.target.closest?.("[data-track]");
    if (!element) return;
    const box = element.getBoundingClientRect(), whole = (number) => Math.max(0, Math.round(number));
    // The keyboard clicks too, in the middle.
    const x = event.detail ? event.clientX : box.x + box.width / 2;
    const y = event.detail ? event.clientY : box.y + box.height / 2;
    record("click", element, {
      x: whole(x + scrollX), y: whole(y + scrollY), element_x: whole(x - box.x), element_y: whole(y - box.y),
    });
  }, true);

  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = function (...values) {
      original.apply(this, values);
      turnPage();
    };
  }
  addEventListener("popstate", turnPage);
  addEventListener("hashchange", turnPage);
  addEventListener("pageshow", (event) => event.persisted && turnPage(true));
  addEventListener("pagehide", leave);
  addEventListener("online", send);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) leave();
    else send();
    watch();
  });
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) {
      if (node.nodeType !== 1) continue;
      if (node.matches("[data-track]")) watcher.observe(node);
      node.querySelectorAll("[data-track]").forEach((element) => watcher.observe(element));
    }
  }).observe(document, { childList: true, subtree: true });
  watch();
  send();
})();
