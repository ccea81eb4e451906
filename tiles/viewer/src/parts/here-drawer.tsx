/** What changes here: a point, an area or the whole landscape, through the years and the scenarios. */
import type { Actions } from "../actions";
import { chosenRun, shownRuns, type Model } from "../model";
import { say } from "../words";
import { AreaAnswer, wholeSeries } from "./area-answer";
import { EmptyNotice, FailedNotice, Shape } from "./notice";
import { PlaceChooser } from "./place-chooser";
import { PointAnswer } from "./point-answer";

export function HereDrawer({ model, actions }: { model: Model; actions: Actions }) {
  if (!chosenRun(model)) return <EmptyNotice text={say("hereNoRun")} />;
  return (
    <>
      <PlaceChooser model={model} actions={actions} />
      <Answer model={model} actions={actions} />
    </>
  );
}

function Answer({ model, actions }: { model: Model; actions: Actions }) {
  const { place } = model.choice;
  if (!place) return <p class="quiet">{say("hereEmpty")}</p>;
  if (place.kind === "whole") {
    const series = wholeSeries(model);
    const missing = series.length < shownRuns(model).length;
    return series.length === 0 && missing ? <Waiting /> : <AreaAnswer model={model} actions={actions} series={series} hectares={undefined} />;
  }
  const part = model.answer;
  if (part?.state === "failed") return <FailedNotice text={part.reason ? sayReason(part.reason) : say("hereFailed")} retry={actions.retry} />;
  if (part?.state !== "done") return <Waiting />;
  const { value } = part;
  if (value.kind === "point") return <PointAnswer model={model} courses={value.courses} />;
  return <AreaAnswer model={model} actions={actions} series={value.series} hectares={value.hectares} />;
}

function Waiting() {
  return (
    <div role="status" aria-label={say("loading")}>
      <Shape heights={[20, 160, 28, 28]} />
    </div>
  );
}

/** The server's reason is in English; what happens most is said in the reader's language. */
function sayReason(reason: string): string {
  return /outside|no cell/.test(reason) ? say("hereOutside") : /too large/.test(reason) ? say("hereTooLarge") : reason;
}
