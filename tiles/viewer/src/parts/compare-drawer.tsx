/** Compare: with which scenario and year, side by side or as what changed. */
import type { Actions } from "../actions";
import type { Choice } from "../choice";
import { canCompare, comparedStop } from "../comparison";
import { chosenRun, chosenStop, classesOf, shownRuns, stopsOfRun, type Model } from "../model";
import { inReadersLanguage, say } from "../words";
import { Choices, Select } from "./fields";
import { EmptyNotice } from "./notice";
import { runTitle } from "./scenario-cards";

type Way = "off" | "swipe" | "difference";

export function CompareDrawer({ model, actions }: { model: Model; actions: Actions }) {
  if (!canCompare(model)) return <EmptyNotice text={say("compareEmpty")} />;
  const { swipe, theme } = model.choice;
  const way: Way = theme === "difference" ? "difference" : swipe ? "swipe" : "off";
  const observed = chosenStop(model)?.kind === "observed";
  return (
    <>
      <Choices
        legend={say("compareHow")}
        name="compare"
        value={way}
        options={[
          ["off", say("compareOff")],
          ["swipe", say("compareSwipe")],
          ["difference", say("compareDifference")],
        ]}
        choose={(chosen) => actions.choose(choiceOf(chosen))}
      />
      <With model={model} actions={actions} />
      {way === "difference" && <OfClass model={model} actions={actions} />}
      {way === "difference" && observed && <p class="notice">{say("differenceNeedsProjection")}</p>}
      {way === "swipe" && <p class="quiet">{say("compareHint")}</p>}
    </>
  );
}

function choiceOf(way: Way): Partial<Choice> {
  if (way === "difference") return { theme: "difference", swipe: false };
  return { theme: "cover", swipe: way === "swipe" };
}

function With({ model, actions }: { model: Model; actions: Actions }) {
  const runs = shownRuns(model);
  const run = runs.find(({ id }) => id === model.choice.against) ?? chosenRun(model);
  const year = comparedStop(model)?.year;
  return (
    <div class="fields">
      {runs.length > 1 && (
        <Select
          label={say("compareScenario")}
          value={run?.id ?? ""}
          options={runs.map((one) => [one.id, runTitle(one, model)])}
          choose={(against) => actions.choose({ against })}
        />
      )}
      <Select
        label={say("compareYear")}
        value={String(year ?? "")}
        options={stopsOfRun(model, run).map((stop) => [
          String(stop.year),
          say(stop.kind === "observed" ? "yearObserved" : "yearProjected", { year: stop.year }),
        ])}
        choose={(since) => actions.choose({ since: Number(since) })}
      />
    </div>
  );
}

function OfClass({ model, actions }: { model: Model; actions: Actions }) {
  return (
    <Select
      label={say("compareClass")}
      value={model.choice.class ?? ""}
      options={[["", say("allClasses")], ...classesOf(model).map(({ name, title }): [string, string] => [name, inReadersLanguage(title)])]}
      choose={(name) => actions.choose({ class: name || undefined })}
    />
  );
}
