// The demo shop: pages that change without loading, as in any single-page application.
const PRODUCTS = [
  { id: 1, kind: "kettles", name: "Gooseneck kettle", price: 64, color: "#b4532a", text: "A slow, thin pour for people who count seconds." },
  { id: 2, kind: "kettles", name: "Camp kettle", price: 38, color: "#53705b", text: "Enamel on steel. It likes open fire and gets better looking with it." },
  { id: 3, kind: "cups", name: "Stoneware cup", price: 18, color: "#7d6b8a", text: "Thick walls, rough foot, holds exactly one good pause." },
  { id: 4, kind: "cups", name: "Double-walled glass", price: 22, color: "#3f7f8c", text: "The coffee floats, the fingers stay cool." },
  { id: 5, kind: "beans", name: "Morning roast", price: 14, color: "#8a5a2b", text: "Chocolate, hazelnut, no discussions before nine." },
  { id: 6, kind: "beans", name: "Light Ethiopian", price: 17, color: "#c08a2e", text: "Bergamot and apricot; tea drinkers nod." },
];
const KINDS = { "": "All", kettles: "Kettles", cups: "Cups", beans: "Beans" };
const page = document.getElementById("page");
const cart = new Map();

function art(product, height = 200) {
  const shapes = {
    kettles: '<path d="M110 170q-14-90 50-96h40q64 6 50 96z"/><path d="M246 104q34-4 50-34l14 8q-16 48-60 56z"/><path d="M150 74q30-54 60 0" fill="none" stroke-width="9"/>',
    cups: '<path d="M130 80h130l-12 84q-4 16-20 16h-66q-16 0-20-16z"/><path d="M258 98q44-4 38 28-6 26-44 24" fill="none" stroke-width="10"/>',
    beans: '<path d="M140 60h120l14 120H126z"/><path d="M140 60l10-18h100l10 18z" opacity=".6"/><ellipse cx="200" cy="124" rx="24" ry="32" fill="#fff8" stroke="none"/>',
  };
  return `<svg class="art" viewBox="0 0 400 ${height + 20}" role="img" aria-label="${product.name}" style="background:${product.color}22">
    <g fill="${product.color}" stroke="${product.color}">${shapes[product.kind]}</g></svg>`;
}

const card = (product) => `<a class="card" id="product-${product.id}" href="/demo/product/${product.id}" data-track="open_product"
  data-track-product="${product.id}">${art(product)}<div><h3>${product.name}</h3><p>${product.text}</p>
  <p class="price">€ ${product.price}</p></div></a>`;

const pages = {
  "": () => `<section class="hero"><div><h1>Good coffee begins with a kettle.</h1>
    <p>Six things for a slow morning, chosen by nobody in particular and tracked with care.</p>
    <p class="row"><a class="button" id="shop-now" href="/demo/catalog" data-track="shop_now">Look at the catalog</a>
    <a class="button quiet" id="read-story" href="/demo/about" data-track="read_story">Our story</a></p></div>
    ${art(PRODUCTS[0])}</section>
    <h2>This week</h2><div class="grid">${PRODUCTS.slice(0, 3).map(card).join("")}</div>`,
  catalog: () => {
    const kind = new URLSearchParams(location.search).get("kind") || "";
    const tabs = Object.entries(KINDS).map(([key, name]) => `<a id="kind-${key || "all"}" data-track="choose_kind"
      href="/demo/catalog${key && "?kind=" + key}" ${key === kind ? "aria-current=page" : ""}>${name}</a>`);
    const chosen = PRODUCTS.filter((product) => !kind || product.kind === kind);
    return `<h1>Catalog</h1><div class="tabs">${tabs.join("")}</div><div class="grid">${chosen.map(card).join("")}</div>`;
  },
  product: (id) => {
    const product = PRODUCTS.find((one) => String(one.id) === id);
    if (!product) return pages.missing();
    return `<section class="product">${art(product, 260)}<div><h1>${product.name}</h1><p class="lead">${product.text}</p>
      <p class="price">€ ${product.price}</p><div class="row">
      <button class="button" id="add-to-cart" data-add="${product.id}" data-track="add_to_cart" data-track-price="${product.price}">Add to cart</button>
      <a class="button quiet" id="go-on" href="/demo/catalog" data-track="go_on_shopping">Go on shopping</a></div></div></section>`;
  },
  cart: () => {
    if (!cart.size) return `<h1>Your cart is empty</h1><p class="lead">That is easily changed.</p>
      <a class="button" id="fill-cart" href="/demo/catalog" data-track="fill_cart">To the catalog</a>`;
    const lines = [...cart].map(([id, count]) => ({ ...PRODUCTS.find((one) => one.id === id), count }));
    const total = lines.reduce((sum, line) => sum + line.price * line.count, 0);
    return `<h1>Cart</h1><table><tr><th>Product<th>Pieces<th>Price</tr>
      ${lines.map((line) => `<tr><td>${line.name}<td>${line.count}<td>€ ${line.price * line.count}</tr>`).join("")}
      <tr><th>Total<td><th>€ ${total}</tr></table>
      <button class="button" id="submit-button" data-order data-track="checkout" data-track-total="${total}">Place the order</button>`;
  },
  thanks: () => `<h1>Thank you!</h1><p class="lead">Nothing will arrive, but the events have.</p>
    <a class="button" id="again" href="/demo" data-track="start_again">Once more</a>`,
  about: () => `<h1>About</h1><p class="lead">This shop exists to be clicked on. Each element with <code>data-track</code> sends a
    view when half of it has been visible for a second, and a click with its position.</p>
    <p class="lead">There are no cookies. With Do Not Track or Global Privacy Control, nothing is sent at all.</p>
    <a class="button" id="about-catalog" href="/demo/catalog" data-track="about_to_catalog">To the catalog</a>`,
  missing: () => `<h1>There is no such page</h1><a class="button" id="home" href="/demo" data-track="open_home">Home</a>`,
};

function show() {
  const [name, detail] = location.pathname.replace(/^\/demo\/?/, "").split("/");
  page.innerHTML = (pages[name] || pages.missing)(detail);
  document.getElementById("cart-count").textContent = [...cart.values()].reduce((sum, count) => sum + count, 0);
  for (const link of document.querySelectorAll("nav a")) {
    if (location.pathname === link.pathname) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function go(address) {
  history.pushState(null, "", address);
  scrollTo(0, 0);
  show();
}

document.addEventListener("click", (event) => {
  const { target } = event;
  const link = target.closest("a[href^='/demo']");
  const add = target.closest("[data-add]")?.dataset.add;
  if (link && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    go(link.getAttribute("href"));
  } else if (add) {
    cart.set(Number(add), (cart.get(Number(add)) || 0) + 1);
    show();
  } else if (target.closest("[data-order]")) {
    cart.clear();
    go("/demo/thanks");
  }
});
addEventListener("popstate", show);

// Shows what the tracker sends, by listening at the door.
let sent = 0;
function log(body) {
  const list = document.getElementById("log-list");
  list.querySelector(".empty")?.remove();
  for (const { type, url, payload } of JSON.parse(body)) {
    const line = document.createElement("li"), kind = document.createElement("b");
    line.className = type;
    kind.textContent = type;
    const place = type === "click" ? ` at ${payload.x}, ${payload.y}` : "";
    line.append(kind, ` ${payload.event_title} ${payload.element_id}${place} on ${new URL(url).pathname}`);
    list.prepend(line);
    document.getElementById("log-count").textContent = ++sent;
  }
}
const { fetch: realFetch } = window;
window.fetch = async (...values) => {
  const answer = await realFetch(...values);
  if (answer.status === 202) log(values[1].body);
  return answer;
};
show();
