/** The service worker of this page, which is there only where something is kept. */
import { address } from "../commons";

/** Whether this browser can keep anything: at a secure address only. */
export const canKeep = "serviceWorker" in navigator && "caches" in window;

/** Resolves when the worker serves this page; rejects where it cannot be installed. */
export async function startWorker(): Promise<void> {
  const { serviceWorker } = navigator;
  const { active, waiting, installing } = await serviceWorker.register(address("service-worker.js"));
  const worker = active ?? waiting ?? installing;
  if (worker) await activated(worker);
  if (serviceWorker.controller) return;
  const taken = new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  worker?.postMessage("serve this page");
  if (!serviceWorker.controller) await taken;
}

export async function stopWorker(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration(address(""));
  await registration?.unregister();
}

function activated(worker: ServiceWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("The service worker could not be installed"));
    };
    worker.addEventListener("statechange", look);
    look();
  });
}
