/** What is this place: its name, or a choice where there are several, and a line about it. */
import { chosenLandscape, chosenRun, type Model } from "../model";
import type { Actions } from "../actions";
import { inReadersLanguage, say } from "../words";
import { EmptyNotice, FailedNotice, Shape } from "./notice";
import { runTitle } from "./scenario-cards";

export function Header({ model, actions }: { model: Model; actions: Actions }) {
  return <header class="header">{content(model, actions)}</header>;
}

/** A line or two about the landscape, where its item has them. */
export function Description({ model }: { model: Model }) {
  const landscape = chosenLandscape(model);
  const text = landscape ? inReadersLanguage(landscape.description) : "";
  return text ? <p class="description quiet">{text}</p> : null;
}

function content(model: Model, actions: Actions) {
  const { landscapes } = model;
  if (landscapes.state === "loading") return <Shape heights={[28, 16]} />;
  if (landscapes.state === "failed") return <FailedNotice text={say("landscapesFailed")} retry={actions.retry} />;
  if (landscapes.value.length === 0) return <EmptyNotice text={say("landscapesEmpty")} next={say("landscapesEmptyNext")} />;
  const run = chosenRun(model); // named here for the sheet, which hides its card when it is down
  return (
    <>
      <Name model={model} actions={actions} />
      <p class="header-now">{run ? runTitle(run, model) : model.runs.state === "done" && say("onlyObserved")}</p>
    </>
  );
}

function Name({ model, actions }: { model: Model; actions: Actions }) {
  const all = model.landscapes.state === "done" ? model.landscapes.value : [];
  const chosen = chosenLandscape(model);
  const title = chosen && inReadersLanguage(chosen.title);
  if (all.length < 2) return <h1>{title}</h1>;
  return (
    <h1 class="choosable">
      <span>{title}</span>
      <select
        aria-label={say("chooseLandscape")}
        value={chosen?.id ?? ""}
        onChange={(event) => actions.chooseLandscape(event.currentTarget.value)}
      >
        {all.map((landscape) => (
          <option key={landscape.id} value={landscape.id}>
            {inReadersLanguage(landscape.title)}
          </option>
        ))}
      </select>
    </h1>
  );
}
