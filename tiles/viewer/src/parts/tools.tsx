/** What can be done with the map, at its top right. */
import { useState } from "preact/hooks";
import type { Actions } from "../actions";
import type { Drawer } from "../choice";
import { chosenRun, reliefOf, type Model } from "../model";
import { say, type Key } from "../words";
import { Icon } from "./symbols";

const HILLS = "M2.5 19l6.5-11 4 6.5 2.2-3.3 6.3 7.8z";
const LINK =
  "M10 13.5a4.5 4.5 0 0 0 6.6.3l3-3a4.5 4.5 0 0 0-6.4-6.4l-1.4 1.4" +
  "M14 10.5a4.5 4.5 0 0 0-6.6-.3l-3 3a4.5 4.5 0 0 0 6.4 6.4l1.4-1.4";
const DRAWERS: { drawer: Drawer; label: Key; path: string; needsRun: boolean }[] = [
  { drawer: "compare", label: "compare", path: "M12 3v18M4 6h5v12H4zM15 6h5v12h-5z", needsRun: false },
  { drawer: "sure", label: "sureShort", path: "M9 9a3 3 0 1 1 4.2 2.7c-.8.4-1.2 1-1.2 1.8M12 17v.2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18", needsRun: true },
  { drawer: "here", label: "here", path: "M12 21s7-6.2 7-11.5a7 7 0 0 0-14 0C5 14.8 12 21 12 21zM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5", needsRun: true },
  { drawer: "plan", label: "plan", path: "M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19zM14 6.5l3.5 3.5", needsRun: true },
  { drawer: "layers", label: "layers", path: "M12 4l9 5-9 5-9-5zM4.5 13l7.5 4.200 7.5-4.200", needsRun: false },
];
const TOLD_MS = 2500;

export function Tools({ model, actions }: { model: Model; actions: Actions }) {
  const [told, setTold] = useState("");
  const share = async (): Promise<void> => {
    setTold(say((await copyAddress()) ? "linkCopied" : "linkByHand"));
    setTimeout(() => setTold(""), TOLD_MS);
  };
  const { drawer: open } = model.choice;
  const shown = DRAWERS.filter(({ needsRun }) => !needsRun || chosenRun(model));
  return (
    <div class="tools" role="group" aria-label={say("tools")}>
      {shown.map(({ drawer, label, path }) => (
        <Tool
          key={drawer}
          label={say(label)}
          path={path}
          expanded={open === drawer}
          onClick={() => actions.choose({ drawer: open === drawer ? undefined : drawer })}
        />
      ))}
      {reliefOf(model) && <Tool label={say("relief")} path={HILLS} pressed={model.relief} onClick={actions.toggleRelief} />}
      <Tool label={say("copyLink")} path={LINK} onClick={share} />
      <p class="told" role="status">
        {told}
      </p>
    </div>
  );
}

interface Properties {
  label: string;
  path: string;
  onClick: () => void;
  pressed?: boolean;
  expanded?: boolean;
}

function Tool({ label, path, onClick, pressed, expanded }: Properties) {
  return (
    <button type="button" class="tool" aria-pressed={pressed} aria-expanded={expanded} onClick={onClick} title={label}>
      <Icon path={path} lines />
      <span class="unseen">{label}</span>
    </button>
  );
}

/** False where the browser does not let the page write to the clipboard (no HTTPS, or refused). */
async function copyAddress(): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(location.href);
    return true;
  } catch {
    return false;
  }
}
