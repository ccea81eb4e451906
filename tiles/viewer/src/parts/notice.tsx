/** What a part of the page says while it has nothing to show: empty, loading or failed. */
import { say } from "../words";

/** Empty: what is missing, and what to do next. */
export function EmptyNotice({ text, next }: { text: string; next?: string }) {
  return (
    <div class="notice">
      <p>{text}</p>
      {next && <p class="quiet">{next}</p>}
    </div>
  );
}

/** Failed: what happened, what still works, and a button to try again. */
export function FailedNotice({ text, retry }: { text: string; retry?: () => void }) {
  return (
    <div class="notice failed" role="alert">
      <p>{text}</p>
      {retry && (
        <button type="button" class="button" onClick={retry}>
          {say("retry")}
        </button>
      )}
    </div>
  );
}

/** Loading: the shape of what comes, as grey blocks of these heights in pixels. */
export function Shape({ heights }: { heights: number[] }) {
  return (
    <div class="shape" aria-hidden="true">
      {heights.map((height, index) => (
        <div key={index} class="shape-line" style={{ height }} />
      ))}
    </div>
  );
}
