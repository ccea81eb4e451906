/** Stands between the page and the network on a device that keeps a run, and answers where no connection does. */
import { freshOrKept, keepPage, keptFile } from "./answers";
import { keyOfAnswer, relative, tileIn } from "./requests";
import { tileOf } from "./tiles";

declare const self: ServiceWorkerGlobalScope;

self.addEventListener("install", (event) => {
  event.waitUntil(keepPage().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// A page that was there before asks to be served from now on.
self.addEventListener("message", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const answer = answerTo(event);
  if (answer) event.respondWith(answer);
});

/** What is none of the page's own business is left to the browser. */
function answerTo(event: FetchEvent): Promise<Response> | undefined {
  const { request } = event;
  const path = relative(request.url);
  if (path === undefined) return undefined;
  const goOn = (work: Promise<unknown>): void => event.waitUntil(work);
  if (request.mode === "navigate") return /^(embed)?$/.test(path.pathname) ? freshOrKept(request, undefined, goOn) : undefined;
  const tile = request.method === "GET" ? tileIn(path) : undefined;
  if (tile) return tileOf(tile, request);
  const key = keyOfAnswer(request, path);
  return key ? key.then((kept) => freshOrKept(request, kept, goOn)) : keptFile(request, path.pathname);
}
