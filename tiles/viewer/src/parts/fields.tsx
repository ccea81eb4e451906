/** Fields of forms: a choice among few, a choice among many, a switch. */

type Option = readonly [value: string, title: string];

interface ChoicesProperties<T extends string> {
  legend: string;
  name: string;
  value: T;
  options: (readonly [T, string])[];
  choose: (value: T) => void;
}

export function Choices<T extends string>({ legend, name, value, options, choose }: ChoicesProperties<T>) {
  return (
    <fieldset class="choices">
      <legend class="heading">{legend}</legend>
      {options.map(([option, title]) => (
        <label key={option} class="choice">
          <input type="radio" name={name} value={option} checked={option === value} onChange={() => choose(option)} />
          <span>{title}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface SelectProperties {
  label: string;
  value: string;
  options: Option[];
  choose: (value: string) => void;
}

export function Select({ label, value, options, choose }: SelectProperties) {
  return (
    <label class="field">
      <span class="heading">{label}</span>
      <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {options.map(([option, title]) => (
          <option key={option} value={option}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Switch({ label, on, toggle }: { label: string; on: boolean; toggle: (on: boolean) => void }) {
  return (
    <label class="choice">
      <input type="checkbox" role="switch" checked={on} onChange={(event) => toggle(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

interface NumberProperties {
  label: string;
  value: number;
  least: number;
  change: (value: number) => void;
}

export function NumberField({ label, value, least, change }: NumberProperties) {
  return (
    <label class="field">
      <span class="heading">{label}</span>
      <input
        type="number"
        inputMode="decimal"
        min={least}
        value={Number.isNaN(value) ? "" : value}
        onInput={(event) => change(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}
