/** What the hatch on the map means, and the switch that takes it off. */
import type { Actions } from "../actions";
import { canVeil } from "../frames";
import type { Model } from "../model";
import { say } from "../words";

export function VeilSwitch({ model, actions }: { model: Model; actions: Actions }) {
  if (!canVeil(model)) return null;
  const { veil } = model.choice;
  return (
    <label class="choice veil-switch">
      <input type="checkbox" role="switch" checked={veil} onChange={() => actions.choose({ veil: !veil })} />
      <span class="swatch hatched" aria-hidden="true" />
      <span>{say("veilMeans")}</span>
    </label>
  );
}
