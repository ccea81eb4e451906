/** Whether the device has a connection, as far as the browser knows. */
import { useEffect, useState } from "preact/hooks";

export function useOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = (): void => setOnline(navigator.onLine);
    const changes = ["online", "offline"] as const;
    for (const change of changes) window.addEventListener(change, look);
    return () => {
      for (const change of changes) window.removeEventListener(change, look);
    };
  }, []);
  return online;
}
