/** Keep the shown scenario on this device, to see it without a connection; and take it away again. */
import { useMemo, useReducer } from "preact/hooks";
import type { Run } from "../commons";
import { aboutFigure } from "../figures";
import { chosenRun, type Model } from "../model";
import { Keeper, type Keeping } from "../offline/keeper";
import { canKeep } from "../offline/worker";
import { PLAN_ID } from "../plans";
import { say } from "../words";
import { FailedNotice } from "./notice";

const MEGABYTE = 1_000_000;

export function Keep({ model }: { model: Model }) {
  const [, repaint] = useReducer((count: number, _: void) => count + 1, 0);
  const keeper = useMemo(() => new Keeper(() => repaint()), []);
  const run = chosenRun(model);
  if (!run || PLAN_ID.test(run.id)) return null;
  return (
    <section class="keep" aria-label={say("keepTitle")}>
      <h2 class="heading">{say("keepTitle")}</h2>
      {canKeep ? <State model={model} run={run} keeper={keeper} /> : <p class="quiet">{say("keepUnavailable")}</p>}
    </section>
  );
}

function State({ model, run, keeper }: { model: Model; run: Run; keeper: Keeper }) {
  const state = keeper.of(run);
  const measure = (): void => void keeper.measure(model, run);
  const leave = (): void => keeper.leave(run);
  switch (state.at) {
    case "kept":
      return (
        <>
          <p role="status">{say("keptHere", { size: sizeInWords(state.bytes) })}</p>
          <Button words={say("keepRemove")} press={() => void keeper.remove(run)} />
        </>
      );
    case "measured":
      return (
        <>
          <p role="status">{say("keepSize", { maps: state.maps, size: sizeInWords(state.bytes) })}</p>
          <div class="buttons">
            <Button words={say("keepStart", { size: sizeInWords(state.bytes) })} press={() => void keeper.keep(model, run)} />
            <Button words={say("cancel")} press={leave} />
          </div>
        </>
      );
    case "coming":
      return <Coming state={state} leave={leave} />;
    case "failed":
      return <FailedNotice text={say("keepFailed")} retry={measure} />;
    case "no-room":
      return <FailedNotice text={say("keepNoRoom")} retry={measure} />;
    default:
      return <Offer waiting={state.at !== "away"} measuring={state.at === "measuring"} measure={measure} />;
  }
}

function Offer({ waiting, measuring, measure }: { waiting: boolean; measuring: boolean; measure: () => void }) {
  const here = matchMedia("(pointer: coarse)").matches ? "keepPhone" : "keepComputer";
  return (
    <>
      <Button words={say(here)} press={measure} waiting={waiting} />
      <p class="quiet" role="status">
        {say(measuring ? "keepMeasuring" : "keepWhy")}
      </p>
    </>
  );
}

function Coming({ state: { done, maps }, leave }: { state: Keeping & { at: "coming" }; leave: () => void }) {
  const words = say("keepProgress", { done, maps });
  return (
    <>
      <p>{words}</p>
      <progress class="plan-progress" max={maps} value={done} aria-label={words} />
      <Button words={say("cancel")} press={leave} />
    </>
  );
}

function Button({ words, press, waiting = false }: { words: string; press: () => void; waiting?: boolean }) {
  return (
    <button type="button" class="button" onClick={press} disabled={waiting}>
      {words}
    </button>
  );
}

function sizeInWords(bytes: number): string {
  return say("megabytes", { figure: aboutFigure(bytes / MEGABYTE) });
}
