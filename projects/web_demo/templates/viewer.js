// gradio calls this with `element`, `props` and `watch` once the viewer's HTML is rendered.
const part = (name) => element.querySelector("." + name);
const slider = element.querySelector(".opacity input");
const veil = [16, 16, 20, 200]; // over all but the class that is looked at
let view = null; // what is shown
let panes = []; // per model: its label map and canvases
let pinned = null; // class that stays alone
let turn = 0; // a result that arrives late must not replace a later one

function make(tag, className, text) {
  const created = document.createElement(tag);
  if (className) created.className = className;
  if (text !== undefined) created.textContent = text;
  return created;
}

function percent(share) {
  return share > 0 && share < 0.0005 ? "under 0.1" : (100 * share).toFixed(1);
}

async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function paint(canvas, labels, colorOf) {
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  const words = new Uint32Array(pixels.data.buffer);
  const table = new Uint32Array(256);
  const bytes = new Uint8Array(table.buffer);
  for (let i = 0; i < 256; i++) bytes.set(colorOf(i), 4 * i);
  for (let i = 0; i < words.length; i++) words[i] = table[labels[i]];
  context.putImageData(pixels, 0, 0);
}

function highlight(index) {
  for (const pane of panes) {
    pane.veil.hidden = index === null;
    if (index !== null && pane.veiled !== index) {
      paint(pane.veil, pane.labels, (i) => (i === index ? [0, 0, 0, 0] : veil));
      pane.veiled = index;
    }
  }
  for (const button of element.querySelectorAll(".legend button")) {
    const own = Number(button.dataset.index);
    button.classList.toggle("lit", own === index);
    button.setAttribute("aria-pressed", String(own === pinned));
  }
  part("status").textContent =
    index === null
      ? "Point at a class to see it alone; a click keeps it."
      : view.classes[index].name + ": " + shares(index) + " of the image";
}

function shares(index) {
  const found = view.panes.map((pane) => percent(pane.shares[index]));
  return found.join(" | ") + " %";
}

function pin(index) {
  pinned = pinned === index ? null : index;
  highlight(pinned);
}

function classUnder(event, pane) {
  const box = pane.stage.getBoundingClientRect();
  const place = (at, start, size, pixels) =>
    Math.min(pixels - 1, Math.max(0, Math.floor(((at - start) / size) * pixels)));
  const x = place(event.clientX, box.left, box.width, view.width);
  const y = place(event.clientY, box.top, box.height, view.height);
  const index = pane.labels[y * view.width + x];
  return index < view.classes.length ? index : null;
}

function makePane(given, labels) {
  const figure = make("figure");
  if (view.panes.length > 1) figure.append(make("figcaption", "", given.title));
  const stage = make("div", "stage");
  const image = make("img");
  image.src = view.image;
  image.alt = "The image with the classes that " + given.title + " finds";
  image.width = view.width;
  image.height = view.height;
  stage.append(image);
  const canvases = ["labels", "veil"].map((name) => {
    const canvas = make("canvas", name);
    canvas.width = view.width;
    canvas.height = view.height;
    canvas.setAttribute("aria-hidden", "true");
    stage.append(canvas);
    return canvas;
  });
  for (const [left, top, width, height] of view.boxes || []) {
    const box = make("div", "box");
    const style = { left, top, width, height };
    for (const side in style) box.style[side] = 100 * style[side] + "%";
    stage.append(box);
  }
  figure.append(stage);
  paint(canvases[0], labels, (i) => [...(view.classes[i] || { color: [0, 0, 0] }).color, 255]);
  const pane = { figure, stage, labels, painted: canvases[0], veil: canvases[1], veiled: null };
  stage.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") highlight(classUnder(event, pane));
  });
  stage.addEventListener("pointerleave", () => highlight(pinned));
  stage.addEventListener("click", (event) => pin(classUnder(event, pane)));
  return pane;
}

function fillLegend() {
  const most = view.classes.map((_, i) => Math.max(...view.panes.map((pane) => pane.shares[i])));
  const order = [...most.keys()].sort((a, b) => most[b] - most[a]);
  const present = order.filter((i) => most[i] > 0);
  part("legend").replaceChildren(
    ...present.map((index) => {
      const item = make("li");
      const button = make("button");
      button.type = "button";
      button.dataset.index = index;
      const swatch = make("span", "swatch");
      swatch.style.background = "rgb(" + view.classes[index].color.join(",") + ")";
      const name = make("span", "name", view.classes[index].name);
      button.append(swatch, name, make("span", "share", shares(index)));
      button.addEventListener("pointerenter", () => highlight(index));
      button.addEventListener("pointerleave", () => highlight(pinned));
      button.addEventListener("focus", () => highlight(index));
      button.addEventListener("blur", () => highlight(pinned));
      button.addEventListener("click", () => pin(index));
      item.append(button);
      return item;
    }),
  );
  const absent = order.filter((i) => most[i] === 0).map((i) => view.classes[i].name);
  part("absent").textContent = absent.length ? "Not found: " + absent.join(", ") : "";
}

function fillDownloads() {
  const several = view.panes.length > 1;
  const items = view.panes.flatMap((pane) =>
    pane.files.map((file) => {
      const item = make("li");
      const link = make("a", "", (several ? pane.title + ": " : "") + file.text);
      link.href = file.source;
      const owner = several ? pane.title.replace(/[^A-Za-z0-9.-]+/g, "_") + "_" : "";
      link.download = owner + file.name + ".png";
      item.append(link);
      return item;
    }),
  );
  part("downloads").replaceChildren(...items);
}

function setOpacity() {
  element.querySelector(".opacity output").textContent = slider.value + " %";
  for (const pane of panes) pane.painted.style.opacity = slider.value / 100;
}

async function show(value) {
  const mine = ++turn;
  const labels = value && value.panes ? await Promise.all(value.panes.map((p) => inflate(p.labels))) : [];
  if (mine !== turn) return;
  view = labels.length ? value : null;
  pinned = null;
  part("message").textContent = (value && value.message) || "";
  part("empty").hidden = Boolean(value && (value.message || view));
  part("result").hidden = view === null;
  panes = labels.map((map, i) => makePane(view.panes[i], map));
  part("panes").replaceChildren(...panes.map((pane) => pane.figure));
  if (view === null) return;
  const notes = [view.note];
  if (view.panes.length > 1) {
    notes.push("The two agree on " + percent(view.agreement) + " % of the pixels.");
    if (view.boxes.length) notes.push("Framed: where they differ most.");
  }
  part("note").textContent = notes.filter(Boolean).join(" ");
  fillLegend();
  fillDownloads();
  setOpacity();
  highlight(null);
}

slider.addEventListener("input", setOpacity);
element.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    pinned = null;
    highlight(null);
  }
});
watch("value", () => show(props.value));
show(props.value);
