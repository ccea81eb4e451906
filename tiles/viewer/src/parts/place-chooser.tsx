/** Choose a place: tap the map, draw an area, upload one, or take the whole landscape. */
import { useRef, useState } from "preact/hooks";
import type { Actions } from "../actions";
import type { Model } from "../model";
import { say } from "../words";
import { NamedPlaces } from "./named-places";

const FORMATS = ".geojson,.json,.kml,.zip";

export function PlaceChooser({ model, actions, areasOnly }: { model: Model; actions: Actions; areasOnly?: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  const [trouble, setTrouble] = useState("");
  const { place } = model.choice;
  const read = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setTrouble("");
    const { readArea } = await import("../upload");
    const area = await readArea(file);
    if (typeof area === "string") setTrouble(say(area));
    else actions.choosePlace(area);
  };
  return (
    <div class="place-chooser">
      {!areasOnly && <p class="quiet">{say("hereHint")}</p>}
      <div class="buttons">
        <button type="button" class="button" onClick={actions.startDrawing}>
          {say("drawArea")}
        </button>
        <button type="button" class="button" onClick={() => input.current?.click()}>
          {say("uploadArea")}
        </button>
        {!areasOnly && (
          <button
            type="button"
            class="button"
            aria-pressed={place?.kind === "whole"}
            onClick={() => actions.choosePlace({ kind: "whole" })}
          >
            {say("wholeLandscape")}
          </button>
        )}
      </div>
      <NamedPlaces model={model} actions={actions} />
      <input
        ref={input}
        type="file"
        class="unseen"
        tabIndex={-1}
        aria-label={say("uploadArea")}
        accept={FORMATS}
        onChange={(event) => {
          const field = event.currentTarget;
          void read(field.files?.[0]).finally(() => (field.value = ""));
        }}
      />
      {trouble && (
        <p class="notice failed" role="alert">
          {trouble}
        </p>
      )}
      {place?.kind === "area" && place.name && <p class="place-name">{place.name}</p>}
    </div>
  );
}
