// Sends views and clicks of elements with data-track="title", and one view of each page. data-track-NAME="value" adds
// a field to the payload; on <html>, to all payloads of the page. On the script: data-key (write key), data-endpoint, data-page-views="off". On the script or
// on any element: data-user-id. No cookies. The API serves tracker.min.js; `make tracker` makes it from this file.
(() => {
  const script = document.currentScript, nav = navigator, prefix = "clickstream.", mark = Symbol.for("clickstream");
  const SECOND = 1000, PAUSE = 2 * SECOND, IDLE = 30 * 60 * SECOND;
  const MAX_BATCH = 50, MAX_BODY_BYTES = 60000, MAX_KEPT = 1000;
  const PLACE = ["x", "y", "element_x", "element_y", "event_title", "element_id"];

  const said = {};
  function say(kind, text) {
    if (!said[kind]) console.warn("clickstream: " + text);
    said[kind] = true;
  }

  // A form (and the document) hides its own properties behind inputs of the same name, but its prototype does not.
  function of(node, name, ...values) {
    const member = Reflect.get(Object.getPrototypeOf(node), name, node);
    return typeof member === "function" ? member.apply(node, values) : member;
  }
  const attribute = (element, name) => of(element, "getAttribute", name);
  const is = (node, selector) => node instanceof Element && of(node, "matches", selector);
  const isTracked = (node) => is(node, "[data-track]");
  const isHidden = () => of(document, "hidden");
  const html = of(document, "documentElement");

  // A value goes to the first store that gives it back, and is read from the first that has it: storage can be
  // blocked, full or damaged at any time.
  const memory = {};
  const stores = [
    () => localStorage,
    () => sessionStorage,
    () => ({
      getItem: (key) => memory[key],
      setItem(key, value) { memory[key] = value; },
      removeItem(key) { delete memory[key]; },
    }),
  ];
  function attempt(store, method, ...values) {
    try { return store()[method](...values); } catch {}
  }
  function read(name, pattern) {
    for (const store of stores) {
      const value = attempt(store, "getItem", prefix + name);
      if (pattern.test(value ?? "")) return value;
    }
  }
  function write(name, value) {
    let isKept = false;
    for (const store of stores) {
      if (!isKept) attempt(store, "setItem", prefix + name, value);
      isKept ||= attempt(store, "getItem", prefix + name) === value;
      // An older value elsewhere must not be read in its place.
      if (attempt(store, "getItem", prefix + name) !== value) attempt(store, "removeItem", prefix + name);
    }
  }

  if (window[mark]) return;
  if (nav.doNotTrack === "1" || window.doNotTrack === "1" || nav.globalPrivacyControl) {
    for (const name of ["user", "session", "waiting"]) {
      stores.forEach((store) => attempt(store, "removeItem", prefix + name));
    }
    return;
  }
  if (!script || !(script.src || script.dataset.endpoint)) {
    const tag = '<script src="https://YOUR-API/tracker.js" defer>';
    return say("load", `nothing is tracked: load the tracker by ${tag}, not as a module, or set data-endpoint`);
  }
  if (location.protocol === "file:") {
    return say("load", "nothing is tracked: open this page from a web server, not as a file");
  }
  window[mark] = true;

  const endpoint = new URL(script.dataset.endpoint || "/events", script.src || location.href);
  endpoint.searchParams.set("source", "tracker");
  if (script.dataset.key) endpoint.searchParams.set("key", script.dataset.key);
  // The service corrects a wrong clock by the time of sending.
  function address() {
    endpoint.searchParams.set("sent_at", new Date().toISOString());
    return endpoint;
  }

  const random = () => crypto.getRandomValues(new BigUint64Array(1))[0];

  function userId() {
    const element = of(document, "querySelector", "[data-user-id]") || script;
    const own = (attribute(element, "data-user-id") || "").trim();
    if (/^\d{1,20}$/.test(own) && BigInt(own) < 2n ** 64n) return own;
    if (own) say("user", `data-user-id="${own}" is not taken, a random id is: it must be a whole number below 2^64`);
    let id = read("user", /^\d{1,16}$/);
    if (!id) write("user", id = String(random() >> 11n));
    return id;
  }

  function sessionId() {
    const now = Date.now();
    let [id, last] = (read("session", /^\w{1,99} \d+$/) || "").split(" ");
    if (!id || Math.abs(now - last) > IDLE) id = random().toString(36) + random().toString(36);
    write("session", id + " " + now);
    return id;
  }

  // An iPad says that it is a Mac, but a Mac has no touch screen.
  const device = nav.maxTouchPoints > 1 && /Macintosh/.test(nav.userAgent) ? { device_type: "tablet" } : {};

  // Neither a cut nor the page may leave half of a character, which no JSON may have.
  const clean = (text, length) => text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "").replace(/\p{Cs}/gu, "\uFFFD");

  // The nearest id, and the way from there; out of a shadow root through its host.
  function selector(element) {
    if (element === html) return "html";
    let path = "", node = element;
    while (node && node !== html) {
      const id = of(node, "id"), name = of(node, "localName"), above = of(node, "parentNode");
      if (id) return "#" + CSS.escape(id) + path;
      const alike = above ? [...of(above, "children")].filter((other) => of(other, "localName") === name) : [];
      path = " > " + CSS.escape(name) + (alike.length > 1 ? `:nth-of-type(${alike.indexOf(node) + 1})` : "") + path;
      node = above;
      if (node instanceof ShadowRoot) {
        node = node.host;
        path = " >>>" + path.slice(2);
      }
    }
    return path.replace(/^ >+ /, "");
  }

  // An anchor is not a page of its own, a route of a single-page router is.
  const here = () => location.href.replace(/#(?![/!]).*/, "");

  let queue = [], page = here(), referrer = of(document, "referrer");

  function record(type, element, position) {
    const payload = {};
    // The page's own fields belong to all its events; those of the element take their place.
    for (const { name, value } of [html, element].flatMap((node) => [...of(node, "attributes")])) {
      if (!/^data-track-./.test(name)) continue;
      const key = clean(name.slice(11).replace(/-([a-z])/g, (_, letter) => letter.toUpperCase()), 100);
      if (PLACE.includes(key)) say(key, `${name} is not taken: the tracker sets "${key}" itself; use another name`);
      else payload[key] = clean(value, 1000);
    }
    const name = element === html ? "page" : of(element, "localName");
    Object.assign(payload, {
      event_title: clean(attribute(element, "data-track") || name, 500),
      element_id: clean(selector(element), 1000),
    }, position);
    queue.push({
      id: String(random()), type, created_at: new Date().toISOString(), session_id: sessionId(),
      user_id: userId(), url: clean(page, 8000), referrer: clean(referrer, 8000), ...device, payload,
    });
    plan(queue.length < MAX_BATCH ? PAUSE : 0);
  }

  // What could not be sent waits in the storage, for this page or whichever comes next. It is tried again behind what
  // is new, so that it never stands in the way, and in ever smaller batches, so that one event never stops the others.
  function waiting() {
    try {
      return JSON.parse(read("waiting", /^\[/)).filter((event) => event?.id);
    } catch {
      return [];
    }
  }
  function forget(events, kept = []) {
    const ids = new Set(events.map((event) => event.id));
    const before = waiting(), after = before.filter((event) => !ids.has(event.id)).concat(kept).slice(-MAX_KEPT);
    if (before.length || after.length) write("waiting", JSON.stringify(after));
  }

  let timer, due = Infinity, heldUntil = 0, pause = SECOND, largest = MAX_BATCH, isSending = false;
  const clock = () => performance.now();

  function plan(delay) {
    const at = Math.max(clock() + delay, heldUntil);
    if (at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(send, at - clock());
  }

  // As many of the events as one request may hold.
  function pack(events) {
    for (let count = Math.min(events.length, largest); ; count >>= 1) {
      const body = JSON.stringify(events.slice(0, count));
      if (count < 2 || new Blob([body]).size <= MAX_BODY_BYTES) return [events.slice(0, count), body];
    }
  }

  async function send() {
    clearTimeout(timer);
    due = Infinity;
    if (isSending) return;
    if (clock() < heldUntil) return plan(0);
    const isNew = queue.length > 0;
    const [events, body] = pack(isNew ? queue : waiting());
    if (!events.length) return;
    if (isNew) queue.splice(0, events.length);
    isSending = true;
    let retry;
    try {
      const answer = await fetch(address(), {
        // Browsers bound the bytes of all requests that may outlive the page; a repeated one does without.
        method: "POST", body, keepalive: isNew, credentials: "omit", signal: AbortSignal.timeout?.(30 * SECOND),
      });
      retry = await judge(answer, events);
    } catch {
      retry = pause;
      if (nav.onLine) {
        say("away", `${endpoint.origin} can't be reached, so events wait in this browser. ` +
          `If the browser names CORS, add ${location.origin} to CLICKSTREAM_API__CORS_ORIGINS`);
      }
    }
    isSending = false;
    if (retry === undefined) {
      if (!isNew) forget(events);
      pause = SECOND;
      largest = Math.min(2 * largest, MAX_BATCH);
      if (queue.length || waiting().length) plan(0);
      return;
    }
    forget(events, events);
    largest = Math.max(1, events.length >> 1);
    if (retry) pause = Math.min(2 * pause, 300 * SECOND);
    if (isNew) heldUntil = clock() + retry;
    plan(retry);
  }

  // How long to wait before the events are sent again; undefined if they are done with.
  async function judge(answer, events) {
    const { status } = answer, text = await answer.text();
    const isRefused = status > 399 && status < 500 && status !== 408 && status !== 429;
    if (!isRefused && status !== 202) return answer.headers.get("Retry-After") * SECOND || pause;
    if ((status === 400 || status === 413) && events.length > 1) return 0;
    // Each error and each warning has an index.
    if (isRefused || text.includes('"index"')) {
      say(status, `${endpoint.origin} answered ${status}: ${text.slice(0, 2000)}`);
    }
  }

  function leave() {
    while (nav.onLine && clock() >= heldUntil && queue.length) {
      const [events, body] = pack(queue);
      if (!nav.sendBeacon(address(), body)) break;
      queue.splice(0, events.length);
    }
    if (queue.length) forget([], queue.splice(0));
  }

  // A view: for a second, half of the element, or half of what the window can show of it; once a page view.
  const seen = new Set(), timers = new Map();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting, intersectionRect: shown, boundingClientRect: box, rootBounds } of entries) {
      const { width, height } = rootBounds || { width: innerWidth, height: innerHeight };
      const most = Math.min(box.width, width) * Math.min(box.height, height);
      if (!isIntersecting || shown.width * shown.height < 0.499 * most || isHidden()) {
        clearTimeout(timers.get(target));
        timers.delete(target);
      } else if (!timers.has(target)) {
        timers.set(target, setTimeout(view, SECOND, target));
      }
    }
    // Half of the window is ever less of an element, the larger that is.
  }, { threshold: Array.from({ length: 64 }, (_, step) => 0.5 * 0.9 ** step) });

  function view(element) {
    if (!of(element, "isConnected") || !isTracked(element)) return;
    let name = attribute(element, "data-track");
    for (let node = element; node; node = of(node, "getRootNode").host) name += selector(node);
    if (seen.has(name)) return;
    seen.add(name);
    record("view", element);
  }

  // The page itself is seen once it is not hidden.
  let isPageSeen;
  const viewsPages = script.dataset.pageViews !== "off";
  function viewPage() {
    if (isPageSeen || !viewsPages || isHidden()) return;
    isPageSeen = true;
    record("view", html);
  }

  const changes = new MutationObserver((records) => {
    for (const { type, target, addedNodes } of records) {
      if (type === "attributes") look(target);
      for (const node of addedNodes) if (node instanceof Element) follow(node);
    }
  });
  function look(element) {
    watcher.unobserve(element);
    clearTimeout(timers.get(element));
    timers.delete(element);
    if (isTracked(element) && !(element === html && viewsPages)) watcher.observe(element);
  }
  // An element, a document or a shadow root, with all shadow roots in it.
  function follow(root) {
    if (!(root instanceof Element)) {
      changes.observe(root, { childList: true, subtree: true, attributeFilter: ["data-track"] });
    }
    for (const element of [root, ...of(root, "querySelectorAll", "*")]) {
      if (isTracked(element)) look(element);
      if (element.shadowRoot) follow(element.shadowRoot);
    }
  }
  function watch() {
    timers.forEach((timer) => clearTimeout(timer));
    timers.clear();
    watcher.disconnect();
    follow(document);
  }

  function turnPage(again) {
    if (here() === page && again !== true) return;
    referrer = page;
    page = here();
    seen.clear();
    isPageSeen = false;
    viewPage();
    watch();
  }

  let answeredBy;
  function click(event) {
    const path = event.composedPath(), element = path.find(isTracked);
    const isEcho = answeredBy && path[0] === answeredBy;
    // A browser answers a click on a label by one on its control, at once: that is still one click.
    const label = path.find((node) => is(node, "label"));
    answeredBy = label?.control !== path[0] && label?.control;
    setTimeout(() => { answeredBy = 0; });
    if (!element || !event.isTrusted || isEcho) return;
    // Of the other buttons, the middle one opens links.
    if (event.button && !(event.button === 1 && path.some((node) => is(node, "a[href]")))) return;
    const box = of(element, "getBoundingClientRect"), whole = (number) => Math.max(0, Math.round(number));
    // The keyboard clicks too, in the middle.
    const x = event.detail || event.button ? event.clientX : box.x + box.width / 2;
    const y = event.detail || event.button ? event.clientY : box.y + box.height / 2;
    // A page that is written from right to left scrolls to the left of its beginning.
    const { writingMode, direction } = getComputedStyle(of(document, "body") || html);
    const isFromRight = /h.*rtl|rl /.test(writingMode + " " + direction);
    const left = scrollX + (isFromRight ? html.scrollWidth - html.clientWidth : 0);
    record("click", element, {
      x: whole(x + left), y: whole(y + scrollY), element_x: whole(x - box.x), element_y: whole(y - box.y),
    });
  }
  addEventListener("click", click, true);
  addEventListener("auxclick", click, true);

  function after(object, name, act) {
    const original = object[name];
    object[name] = function (...values) {
      const result = original.apply(this, values);
      act(result);
      return result;
    };
  }
  after(history, "pushState", turnPage);
  after(history, "replaceState", turnPage);
  after(Element.prototype, "attachShadow", (root) => root.mode === "open" && follow(root));
  addEventListener("popstate", turnPage);
  addEventListener("hashchange", turnPage);
  addEventListener("pageshow", (event) => event.persisted && turnPage(true));
  addEventListener("pagehide", leave);
  addEventListener("online", () => {
    heldUntil = 0;
    plan(PAUSE);
  });
  addEventListener("visibilitychange", () => {
    if (isHidden()) leave();
    else viewPage();
    plan(PAUSE);
    watch();
  }, true);

  // A page that is still being read may yet tell its user.
  function start() {
    viewPage();
    watch();
    plan(PAUSE);
  }
  if (of(document, "readyState") === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
