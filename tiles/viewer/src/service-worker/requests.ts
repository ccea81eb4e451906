/** What the page asks for, told apart by its address below the scope: a commons may lie below any path. */
declare const self: ServiceWorkerGlobalScope;

export interface Path {
  pathname: string;
  search: string;
}

export interface Tile {
  /** Address of the archive that holds it, if that is kept. */
  archive: string;
  z: number;
  x: number;
  y: number;
}

const TILE = /^(.+)\/tiles\/WebMercatorQuad\/(\d+)\/(\d+)\/(\d+)\.png$/;
/** Whatever has figures, names or legends in it. */
const ANSWER = /^stac\/|^files\/.+areas\.json$|^runs\/[^/]+\/point\/|\/legend\.json$|^landscapes\/[^/]+\/places/;
const STATISTICS = /^runs\/[^/]+\/statistics$/;

/** The path below the scope; undefined outside of it. */
export function relative(address: string): Path | undefined {
  const { scope } = self.registration;
  if (!address.startsWith(scope)) return undefined;
  const { pathname, search } = new URL(address);
  return { pathname: pathname.slice(new URL(scope).pathname.length), search };
}

export function tileIn({ pathname, search }: Path): Tile | undefined {
  const found = TILE.exec(pathname);
  if (!found) return undefined;
  const [, base, ...place] = found;
  const [z, x, y] = place.map(Number) as [number, number, number];
  return { archive: `${self.registration.scope}${base}/tiles.pmtiles${search}`, z, x, y };
}

/** Under which address an answer is kept, where it is one that is. */
export function keyOfAnswer(request: Request, { pathname }: Path): Promise<string> | undefined {
  if (request.method === "POST" && STATISTICS.test(pathname)) return keyOfQuestion(request.clone());
  return request.method === "GET" && ANSWER.test(pathname) ? Promise.resolve(request.url) : undefined;
}

/** An answer to what was posted is known by a hash of that. */
async function keyOfQuestion(request: Request): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await request.arrayBuffer()));
  const address = new URL(request.url);
  address.searchParams.set("posted", Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  return address.href;
}
