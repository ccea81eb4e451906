/** Files of the page and answers of the server: the newest where there is a connection, else those of before. */
declare const self: ServiceWorkerGlobalScope;
/** What the build made: its files, and a hash that changes with any of them. */
declare const FILES: string[];
declare const VERSION: string;

const PATIENCE_MS = 4_000; // with a weak connection, before what is kept is good enough
const MOST_ANSWERS = 500;
const PAGE = ""; // its address below the scope

type GoOn = (work: Promise<unknown>) => void;

const cacheOf = (what: string): string => `${self.registration.scope} ${what}`;
const pageCache = (): string => cacheOf(`page ${VERSION}`);

/** Keep all files of this version of the page, and of no other. */
export async function keepPage(): Promise<void> {
  const { scope } = self.registration;
  const cache = await caches.open(pageCache());
  await cache.addAll([PAGE, ...FILES].map((file) => scope + file));
  const old = (await caches.keys()).filter((name) => name.startsWith(cacheOf("page ")) && name !== pageCache());
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** A file of the page: its name holds a hash of what is in it, so that the kept one is as good as any. */
export function keptFile(request: Request, path: string): Promise<Response> | undefined {
  if (!FILES.includes(path)) return undefined;
  return caches.open(pageCache()).then(async (cache) => (await cache.match(request.url)) ?? fetch(request));
}

/** What the server says now; what is kept if it does not answer in time. Without a key it is the page itself. */
export async function freshOrKept(request: Request, key: string | undefined, goOn: GoOn): Promise<Response> {
  const fresh = fetch(request);
  const kept = await (key ? findAnswer(key) : findPage());
  if (key) goOn(fresh.then((answer) => keepAnswer(key, answer.clone()), () => undefined));
  if (!kept) return fresh;
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS));
  return Promise.race([fresh.then((answer) => (answer.status < 500 ? answer : kept), () => kept), late]);
}

async function findPage(): Promise<Response | undefined> {
  return (await caches.open(pageCache())).match(self.registration.scope + PAGE);
}

async function findAnswer(key: string): Promise<Response | undefined> {
  return (await caches.open(cacheOf("answers"))).match(key);
}

async function keepAnswer(key: string, answer: Response): Promise<void> {
  if (!answer.ok) return;
  const cache = await caches.open(cacheOf("answers"));
  await cache.put(key, answer);
  const keys = await cache.keys(); // in the order in which they came
  await Promise.all(keys.slice(0, Math.max(keys.length - MOST_ANSWERS, 0)).map((old) => cache.delete(old)));
}
