/** Speak another language. */
import { language, LANGUAGES, say, speak } from "../words";

export function LanguageChoice() {
  return (
    <label class="field language">
      <span class="heading">{say("speak")}</span>
      <select value={language} onChange={(event) => speak(event.currentTarget.value)}>
        {Object.entries(LANGUAGES).map(([tag, { name }]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
