import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, defineConfig, type Plugin } from "vite";

/** What comes only when it is needed; all else is one file, so that a slow phone asks once. */
const LATER = /src\/(landscape-map|year-layers|upload|picture|parts\/chart|words\/(?!en\.))/;
const PAGE = "index.html";

function chunkOf(id: string): string | undefined {
  if (id.includes("node_modules/shpjs")) return "shapefile";
  return /node_modules\/preact|\/src\/.*\.tsx?$/.test(id) && !LATER.test(id) ? "page" : undefined;
}

/** After the page its service worker, which is told the page's files: one script without imports, as all browsers take it. */
function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    async writeBundle(_options, bundle) {
      const files = Object.keys(bundle).filter((file) => file !== PAGE).sort();
      const page = bundle[PAGE]?.type === "asset" ? String(bundle[PAGE].source) : "";
      const define = { FILES: JSON.stringify(files), VERSION: JSON.stringify(await hash(page + files.join())) };
      const output = { format: "iife" as const, entryFileNames: "service-worker.js" };
      const input = "src/service-worker/service-worker.ts";
      const options = { outDir: "dist", emptyOutDir: false, target: "es2022", reportCompressedSize: false };
      await build({ configFile: false, publicDir: false, define, build: { ...options, rollupOptions: { input, output } } });
    },
  };
}

/** Beside each file of the page the same in fewer bytes, packed once and as small as it gets: the server has no time for it. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    async closeBundle() {
      const folder = join("dist", "assets");
      for (const name of (await readdir(folder)).filter((each) => /\.(js|css|svg)$/.test(each))) {
        const content = await readFile(join(folder, name));
        const size = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
        await writeFile(join(folder, `${name}.br`), brotliCompressSync(content, { params: size })); // the best is its default
        await writeFile(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}

async function hash(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes.slice(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export default defineConfig({
  base: "./", // the page may be served under any path
  plugins: [serviceWorker(), packed()],
  build: {
    outDir: "dist",
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200, // MapLibre is one file of about 1 MB, 270 kB compressed
    reportCompressedSize: false,
    rollupOptions: { output: { manualChunks: chunkOf } },
  },
});
