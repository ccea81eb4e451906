/** How sure: what of it the map shows, and the test on the past in plain words. */
import type { Actions } from "../actions";
import type { Theme } from "../choice";
import { chosenClass, classesOf, chosenRun, type Model } from "../model";
import { inReadersLanguage, say } from "../words";
import { CertaintyWords } from "./certainty";
import { Choices, Select } from "./fields";
import { VeilSwitch } from "./veil-switch";

type Shown = "cover" | "probability" | "first-change";

export function SureDrawer({ model, actions }: { model: Model; actions: Actions }) {
  const { theme } = model.choice;
  const shown: Shown = theme === "probability" || theme === "first-change" ? theme : "cover";
  const show = (chosen: Theme): void => actions.choose({ theme: chosen, swipe: false });
  const several = (chosenRun(model)?.members ?? 0) > 1;
  if (!several) return <CertaintyWords model={model} />;
  return (
    <>
      <Choices
        legend={say("sureMap")}
        name="sure"
        value={shown}
        options={[
          ["cover", say("landCover")],
          ["probability", say("sureProbability")],
          ["first-change", say("themeFirstChange")],
        ]}
        choose={show}
      />
      {shown === "probability" && (
        <Select
          label={say("class")}
          value={chosenClass(model)?.name ?? ""}
          options={classesOf(model).map(({ name, title }) => [name, inReadersLanguage(title)])}
          choose={(name) => actions.choose({ class: name })}
        />
      )}
      <VeilSwitch model={model} actions={actions} />
      <CertaintyWords model={model} />
    </>
  );
}
