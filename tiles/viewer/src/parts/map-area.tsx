/** The map and what lies on it: the marks, the progress line, what failed, and the tools. */
import { useEffect, useRef } from "preact/hooks";
import type { Actions } from "../actions";
import { comparedStop } from "../comparison";
import { chosenLandscape, chosenStop, isLoading, type Model, type Stop } from "../model";
import { embedded } from "../embedded";
import { themeInWords } from "../theme-words";
import { useOnline } from "../offline/online";
import { say } from "../words";
import { Divider } from "./divider";
import { DrawingTools } from "./drawing-tools";
import { FailedNotice } from "./notice";
import { runTitle } from "./scenario-cards";
import { Tools } from "./tools";

export function MapArea({ model, actions }: { model: Model; actions: Actions }) {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (container.current) actions.openMap(container.current);
  }, []);
  const { state, year } = model.map;
  const coming = state === "loading" && (isLoading(model) || chosenStop(model) !== undefined);
  const other = model.choice.swipe ? comparedStop(model) : undefined;
  return (
    <main
      class="map-area"
      data-map={state}
      data-year={year}
      data-other={model.otherMap?.state}
      data-other-year={model.otherMap?.year}
      data-drawing={model.drawing !== undefined || undefined}
    >
      <div class="map first" ref={container} />
      <div class="first-look" aria-hidden="true" />
      <div class="map second" aria-hidden="true" hidden={!other} />
      {other && <Divider before={sideName(model, other)} after={sideName(model, chosenStop(model))} />}
      {coming && (
        <div class="progress" role="progressbar" aria-label={year === undefined ? say("loading") : say("mapLoading", { year })} />
      )}
      <div class="map-top">
        <Marks model={model} />
        <Troubles model={model} actions={actions} />
      </div>
      {!embedded && <Tools model={model} actions={actions} />}
      {model.drawing && <DrawingTools corners={model.drawing.length} actions={actions} />}
    </main>
  );
}

/** Scenario and year of one side of the divider. */
function sideName(model: Model, stop: Stop | undefined): string {
  if (!stop) return "";
  const { year } = stop;
  return stop.kind === "observed" ? say("yearObserved", { year }) : say("sideProjected", { year, title: runTitle(stop.run, model) });
}

function Marks({ model }: { model: Model }) {
  const stop = chosenStop(model);
  const source = stop?.kind === "projected" ? stop.run : stop?.map;
  const synthetic = chosenLandscape(model)?.synthetic || source?.synthetic;
  const theme = themeInWords(model);
  const online = useOnline();
  return (
    <>
      {stop?.kind === "projected" && (
        <p class="mark projection" title={say("projectionLong", { year: stop.year })}>
          {say("projectionMark", { year: stop.year })}
        </p>
      )}
      {theme && <p class="mark theme">{theme}</p>}
      {!online && <p class="mark offline">{say("offline")}</p>}
      {synthetic && <p class="mark synthetic">{say("synthetic")}</p>}
    </>
  );
}

function Troubles({ model, actions }: { model: Model; actions: Actions }) {
  const { state, year } = model.map;
  if (state === "unreachable") return <FailedNotice text={say("mapUnreachable")} retry={() => location.reload()} />;
  if (state === "unavailable") return <FailedNotice text={say("mapUnavailable")} />;
  const failed = navigator.onLine ? "mapFailed" : "mapNotKept";
  if (state === "failed") return <FailedNotice text={say(failed, { year: year ?? "" })} retry={actions.retry} />;
  if (model.otherMap?.state === "failed") return <FailedNotice text={say("otherMapFailed")} retry={actions.retry} />;
  const noRelief = model.reliefFailed || model.reliefs.state === "failed";
  return noRelief ? <FailedNotice text={say("reliefFailed")} retry={actions.retry} /> : null;
}
