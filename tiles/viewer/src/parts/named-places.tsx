/** Choose a place by its name, where the landscape has such. */
import { useEffect, useState } from "preact/hooks";
import type { Actions } from "../actions";
import { chosenLandscape, type Model } from "../model";
import { labelOf, loadPlace, loadPlaces, type PlaceLayer } from "../places";
import { say } from "../words";

export function NamedPlaces({ model, actions }: { model: Model; actions: Actions }) {
  const landscape = chosenLandscape(model)?.id;
  const [layers, setLayers] = useState<PlaceLayer[]>([]);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let current = true;
    setLayers([]);
    // A landscape without named places is no failure: there are other ways to choose one.
    if (landscape) void loadPlaces(landscape).then((found) => current && setLayers(found), () => undefined);
    return () => void (current = false);
  }, [landscape]);
  if (!landscape || layers.length === 0) return null;
  const choose = async (value: string): Promise<void> => {
    const [index, name] = splitOnce(value);
    const layer = layers[Number(index)];
    setFailed(false);
    if (!layer || !name) return;
    await loadPlace(landscape, layer, name).then(actions.choosePlace, () => setFailed(true));
  };
  return (
    <>
      <label class="field">
        <span class="heading">{say("placeByName")}</span>
        <select value={valueOf(model, layers)} onChange={(event) => void choose(event.currentTarget.value)}>
          <option value="">{say("placeChoose")}</option>
          {layers.map(({ layer, title, places }, index) => (
            <optgroup key={layer} label={title}>
              {places.map((place) => (
                <option key={place.name} value={`${index}/${place.name}`}>
                  {labelOf(place)}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      {failed && (
        <p class="notice failed" role="alert">
          {say("hereFailed")}
        </p>
      )}
    </>
  );
}

/** What is chosen, as its option names it; nothing where another place was chosen since. */
function valueOf({ choice: { place } }: Model, layers: PlaceLayer[]): string {
  if (place?.kind !== "area" || !place.name) return "";
  const index = layers.findIndex(({ places }) => places.some((each) => labelOf(each) === place.name));
  const name = layers[index]?.places.find((each) => labelOf(each) === place.name)?.name;
  return name === undefined ? "" : `${index}/${name}`;
}

function splitOnce(value: string): [string, string] {
  const cut = value.indexOf("/");
  return [value.slice(0, cut), value.slice(cut + 1)];
}
