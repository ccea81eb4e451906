/** Tiles out of the archives that are kept. */
import { FileSource, PMTiles } from "pmtiles";
import type { Tile } from "./requests";

const MOST_OPEN = 24;
/** One transparent pixel: archives leave empty tiles out. */
const EMPTY = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNgYAAAAAMAASsJTYQAAAAASUVORK5CYII=";

const opened = new Map<string, PMTiles>();

/** A kept tile is as good as any; whatever else is asked of the network. */
export async function tileOf({ archive, z, x, y }: Tile, request: Request): Promise<Response> {
  const kept = await open(archive);
  if (!kept) return fetch(request);
  // The map enlarges a coarser tile where it gets a 404.
  if (z > (await kept.getHeader()).maxZoom) return fetch(request).catch(() => new Response(null, { status: 404 }));
  const found = await kept.getZxy(z, x, y);
  return new Response(found?.data ?? emptyTile(), { headers: { "Content-Type": "image/png" } });
}

async function open(address: string): Promise<PMTiles | undefined> {
  const known = opened.get(address);
  if (known) return known;
  const kept = await caches.match(address);
  if (!kept) return undefined;
  const archive = new PMTiles(new FileSource(new File([await kept.blob()], address)));
  opened.set(address, archive);
  for (const oldest of opened.keys()) if (opened.size > MOST_OPEN) opened.delete(oldest);
  return archive;
}

function emptyTile(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(EMPTY), (character) => character.charCodeAt(0));
}
