/** The panel: at the left where there is room, else a sheet over the map with three stops. */
import { useRef, useState } from "preact/hooks";
import type { Model } from "../model";
import type { Actions } from "../actions";
import { embedded, wholePage } from "../embedded";
import { say } from "../words";
import { Certainty } from "./certainty";
import { Description, Header } from "./header";
import { Keep } from "./keep";
import { LanguageChoice } from "./language-choice";
import { LegendTable } from "./legend-table";
import { ScenarioCards } from "./scenario-cards";
import { SheetHandle, type SheetStop } from "./sheet-handle";

export function Panel({ model, actions }: { model: Model; actions: Actions }) {
  const [stop, setStop] = useState<SheetStop>("peek");
  const sheet = useRef<HTMLElement>(null);
  return (
    <aside class="panel" data-stop={stop} aria-label={say("panel")} ref={sheet}>
      <SheetHandle stop={stop} sheet={sheet} settle={setStop} />
      <div class="panel-content">
        {embedded ? <Embedded model={model} actions={actions} /> : <Whole model={model} actions={actions} />}
      </div>
    </aside>
  );
}

function Whole({ model, actions }: { model: Model; actions: Actions }) {
  return (
    <>
        <Header model={model} actions={actions} />
        <Description model={model} />
        <ScenarioCards model={model} actions={actions} />
        <LegendTable model={model} actions={actions} />
        <Certainty model={model} />
        <Keep model={model} />
        <LanguageChoice />
    </>
  );
}

function Embedded({ model, actions }: { model: Model; actions: Actions }) {
  return (
    <>
      <Header model={model} actions={actions} />
      <LegendTable model={model} actions={actions} />
      <a class="whole-page" href={wholePage()} target="_blank" rel="noopener" onClick={(event) => (event.currentTarget.href = wholePage())}>
        {say("wholePage")}
      </a>
    </>
  );
}
