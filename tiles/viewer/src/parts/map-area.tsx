/** The map and what lies on it: the marks, the progress line, what failed, and the tools. */
import { useEffect, useRef, useState } from "preact/hooks";
import { chosenLandscape, chosenStop, isLoading, reliefOf, type Model } from "../model";
import type { Actions } from "../actions";
import { say } from "../words";
import { FailedNotice } from "./notice";
import { Icon } from "./symbols";

const HILLS = "M2.5 19l6.5-11 4 6.5 2.2-3.3 6.3 7.8z";
const LINK =
  "M10 13.5a4.5 4.5 0 0 0 6.6.3l3-3a4.5 4.5 0 0 0-6.4-6.4l-1.4 1.4" +
  "M14 10.5a4.5 4.5 0 0 0-6.6-.3l-3 3a4.5 4.5 0 0 0 6.4 6.4l1.4-1.4";
const TOLD_MS = 2500;

export function MapArea({ model, actions }: { model: Model; actions: Actions }) {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (container.current) actions.openMap(container.current);
  }, []);
  const { state, year } = model.map;
  const coming = state === "loading" && (isLoading(model) || chosenStop(model) !== undefined);
  return (
    <main class="map-area" data-map={state} data-year={year}>
      <div class="map" ref={container} />
      {coming && (
        <div class="progress" role="progressbar" aria-label={year === undefined ? undefined : say("mapLoading", { year })} />
      )}
      <div class="map-top">
        <Marks model={model} />
        <Troubles model={model} actions={actions} />
      </div>
      <Tools model={model} actions={actions} />
    </main>
  );
}

function Marks({ model }: { model: Model }) {
  const stop = chosenStop(model);
  const source = stop?.kind === "projected" ? stop.run : stop?.map;
  const synthetic = chosenLandscape(model)?.synthetic || source?.synthetic;
  return (
    <>
      {stop?.kind === "projected" && (
        <p class="mark projection" title={say("projectionLong", { year: stop.year })}>
          {say("projectionMark", { year: stop.year })}
        </p>
      )}
      {synthetic && <p class="mark synthetic">{say("synthetic")}</p>}
    </>
  );
}

function Troubles({ model, actions }: { model: Model; actions: Actions }) {
  const { state, year } = model.map;
  if (state === "unreachable") return <FailedNotice text={say("mapUnreachable")} retry={() => location.reload()} />;
  if (state === "unavailable") return <FailedNotice text={say("mapUnavailable")} />;
  if (state === "failed") return <FailedNotice text={say("mapFailed", { year: year ?? "" })} retry={actions.retry} />;
  const noRelief = model.reliefFailed || model.reliefs.state === "failed";
  return noRelief ? <FailedNotice text={say("reliefFailed")} retry={actions.retry} /> : null;
}

function Tools({ model, actions }: { model: Model; actions: Actions }) {
  const [told, setTold] = useState("");
  const share = async (): Promise<void> => {
    setTold(say((await copyAddress()) ? "linkCopied" : "linkByHand"));
    setTimeout(() => setTold(""), TOLD_MS);
  };
  return (
    <div class="tools">
      {reliefOf(model) && (
        <button type="button" class="tool" aria-pressed={model.relief} onClick={actions.toggleRelief} title={say("relief")}>
          <Icon path={HILLS} lines />
          <span class="unseen">{say("relief")}</span>
        </button>
      )}
      <button type="button" class="tool" onClick={share} title={say("copyLink")}>
        <Icon path={LINK} lines />
        <span class="unseen">{say("copyLink")}</span>
      </button>
      <p class="told" role="status">
        {told}
      </p>
    </div>
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
