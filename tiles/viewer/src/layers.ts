/** The layers of the catalog: what they are, on what terms, and where their files are. */
import { boundsOf, fetchJson, address, items, number, ownAddress, text, textual, yearOf, type Bounds, type Item } from "./commons";
import type { Text } from "./words";

export interface Download {
  title: string;
  href: string;
  size: number | undefined;
}

export interface Layer {
  /** collection/item */
  key: string;
  id: string;
  collection: string;
  collectionTitle: string;
  landscape: string;
  title: Text;
  description: Text;
  year: number | undefined;
  cellSize: number | undefined;
  unit: string;
  licence: string;
  citation: string;
  providers: string[];
  synthetic: boolean;
  bounds: Bounds;
  /** Whether it has tiles. */
  drawn: boolean;
  thumbnail: string | undefined;
  downloads: Download[];
  /** Its item, as the catalog has it. */
  item: string;
}

interface Collection {
  id: string;
  title?: string;
  license?: string;
  providers?: { name?: string }[];
  [name: string]: unknown;
}

const HIDDEN = ["landscapes", "run-maps", "runs"]; // the page itself is about these
const RASTER = "image/tiff";

export async function loadLayers(): Promise<Layer[]> {
  const { collections } = (await fetchJson(address("stac/collections"))) as { collections: Collection[] };
  const shown = collections.filter(({ id }) => !HIDDEN.includes(id));
  const found = await Promise.all(shown.map(loadCollection));
  return found.flat();
}

async function loadCollection(collection: Collection): Promise<Layer[]> {
  const found = await items(`stac/search?collections=${encodeURIComponent(collection.id)}&limit=200`);
  return found.map((item) => readLayer(item, collection));
}

function readLayer(item: Item, collection: Collection): Layer {
  const { properties, assets } = item;
  const data = assets["data"];
  const band = (data?.["bands"] as Record<string, unknown>[] | undefined)?.[0];
  const providers = (properties["providers"] ?? collection.providers ?? []) as { name?: string }[];
  return {
    key: `${collection.id}/${item.id}`,
    id: item.id,
    collection: collection.id,
    collectionTitle: collection.title ?? collection.id,
    landscape: text(properties["landscape:id"]),
    title: textual(properties["title"]) || item.id,
    description: textual(properties["description"]),
    year: collection.id === "land-cover" ? yearOf(properties["datetime"] ?? properties["start_datetime"]) : undefined,
    cellSize: number(properties["gsd"]),
    unit: text(band?.["unit"]),
    licence: text(properties["license"]) || (collection.license ?? ""),
    citation: text(properties["sci:citation"]) || text(collection["sci:citation"]),
    providers: providers.flatMap(({ name }) => (name ? [name] : [])),
    synthetic: properties["landscape:synthetic"] === true,
    bounds: boundsOf(item),
    drawn: text(data?.["type"]).startsWith(RASTER),
    thumbnail: assets["thumbnail"] && ownAddress(assets["thumbnail"].href),
    downloads: downloadsOf(item),
    item: address(`stac/collections/${collection.id}/items/${encodeURIComponent(item.id)}`),
  };
}

function downloadsOf({ assets }: Item): Download[] {
  return Object.entries(assets)
    .filter(([name]) => name !== "thumbnail")
    .map(([name, asset]) => {
      const file = new URL(asset.href, document.baseURI).pathname.split("/").at(-1) ?? name;
      return { title: file, href: ownAddress(asset.href), size: number(asset["file:size"]) };
    });
}
