import { defineConfig } from "vite";

/** What comes only when it is needed; all else is one file, so that a slow phone asks once. */
const LATER = /src\/(landscape-map|year-layers|upload|picture|parts\/chart|words\/(?!en\.))/;

function chunkOf(id: string): string | undefined {
  if (id.includes("node_modules/shpjs")) return "shapefile";
  return /node_modules\/preact|\/src\/.*\.tsx?$/.test(id) && !LATER.test(id) ? "page" : undefined;
}

export default defineConfig({
  base: "./", // the page may be served under any path
  build: {
    outDir: "dist",
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200, // MapLibre is one file of about 1 MB, 270 kB compressed
    reportCompressedSize: false,
    rollupOptions: { output: { manualChunks: chunkOf } },
  },
});
