// Sends a file in pieces, each appended on the server; after a failure the server says where to go on.
"use strict";
(() => {
  const PIECE_BYTES = 8 * 1024 * 1024;
  const RETRY_MS = [500, 1000, 2000, 4000, 8000, 15000];
  const element = (id) => document.getElementById(id);
  const [drop, input, progress, status, cancel] = ["drop", "file", "progress", "status", "cancel"].map(element);
  let upload = null;
  let isCancelled = false;

  const megabytes = (bytes) => (bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 }) + " MB";
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  function say(text, isError = false) {
    status.textContent = text;
    status.classList.toggle("error", isError);
  }

  function remember(id) {
    // The panel's address leads back to this upload; the page around this frame is of the same origin.
    const address = new URL(parent.location.href);
    if (id) address.searchParams.set("upload", id); else address.searchParams.delete("upload");
    parent.history.replaceState(parent.history.state, "", address);
  }

  function show(received, size) {
    progress.hidden = cancel.hidden = false;
    progress.value = size ? received / size : 0;
    say(`${megabytes(received)} of ${megabytes(size)}`);
  }

  async function call(method, address, body) {
    const answer = await fetch(address, { method, body, credentials: "same-origin" });
    const text = await answer.text();
    let found = {};
    try { found = text ? JSON.parse(text) : {}; } catch { found = { error: `The panel answered ${answer.status}.` }; }
    return { status: answer.status, found };
  }

  function refuse(found) {
    say(found.error || "The panel refused the file.", true);
    progress.hidden = cancel.hidden = true;
    upload = null;
  }

  async function send(file) {
    if (upload && upload.size !== file.size) {
      say(`This is a different file: the interrupted one has ${megabytes(upload.size)}.`, true);
      return;
    }
    isCancelled = false;
    if (!upload) {
      const begun = await call("POST", "/files/uploads", JSON.stringify({ name: file.name, size: file.size }));
      if (begun.status !== 201) return refuse(begun.found);
      upload = begun.found;
      remember(upload.id);
    }
    const address = `/files/uploads/${upload.id}`;
    let failures = 0;
    while (upload.received < upload.size) {
      show(upload.received, upload.size);
      const piece = file.slice(upload.received, upload.received + PIECE_BYTES);
      try {
        const answer = await call("PUT", `${address}?offset=${upload.received}`, piece);
        if (isCancelled) return;
        if (answer.status !== 200 && answer.status !== 409) return refuse(answer.found);
        upload = answer.found;
        failures = 0;
      } catch {
        if (isCancelled) return;
        say(`The connection was lost; trying again. ${megabytes(upload.received)} have arrived.`, true);
        await pause(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
        try {
          const known = await call("GET", address);
          if (known.status === 404) return refuse(known.found);
          if (known.status === 200) upload = known.found;
        } catch { /* Still away; the next round tries again. */ }
      }
    }
    show(upload.size, upload.size);
    cancel.hidden = true;
    say(`${upload.name} has arrived and is listed below.`);
    remember(null);
    upload = null;
    input.value = "";
  }

  async function resume(id) {
    const known = await call("GET", `/files/uploads/${id}`);
    if (known.status !== 200) return remember(null);
    if (known.found.received >= known.found.size) return;
    upload = known.found;
    show(upload.received, upload.size);
    say(`${megabytes(upload.received)} of ${upload.name} have arrived. Choose the same file to continue.`);
  }

  input.addEventListener("change", () => input.files[0] && send(input.files[0]));
  // A quick hand may have chosen before this script was there.
  if (input.files[0]) send(input.files[0]);
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
    });
  }
  cancel.addEventListener("click", async () => {
    isCancelled = true;
    if (upload) await call("DELETE", `/files/uploads/${upload.id}`);
    upload = null;
    input.value = "";
    remember(null);
    progress.hidden = cancel.hidden = true;
    say("Cancelled; what had arrived was deleted.");
  });
  const begun = new URL(parent.location.href).searchParams.get("upload");
  if (begun) resume(begun);
})();
