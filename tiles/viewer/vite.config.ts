import { defineConfig } from "vite";

export default defineConfig({
  base: "./", // the page may be served under any path
  build: {
    outDir: "dist",
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200, // MapLibre is one file of about 1 MB, 270 kB compressed
    reportCompressedSize: false,
  },
});
