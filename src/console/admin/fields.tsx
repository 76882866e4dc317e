import type { Child } from "../../html/jsx-runtime.ts";
import type { Problem } from "../api.ts";
import { NoticeBox } from "../components.tsx";
import { describedBy, Field } from "../form-controls.tsx";
import type { FieldError } from "./field-errors.ts";

/** A labelled one-line text; its error is that of the refusal, if it is this field's. */
export function TextField({
  name,
  label,
  value,
  hint,
  error,
  type = "text",
  required,
  list,
  mono,
  placeholder,
  maxlength,
  min,
  max,
}: {
  name: string;
  label: Child;
  value: string;
  hint?: Child;
  error?: FieldError | null;
  type?: "text" | "email" | "number" | "url";
  required?: boolean;
  /** Id of a `<datalist>`. */
  list?: string;
  mono?: boolean;
  placeholder?: string;
  maxlength?: number;
  min?: number;
  max?: number;
}) {
  const message = error?.field === name ? error.message : undefined;
  return (
    <Field name={name} label={label} hint={hint} error={message}>
      <input
        id={name}
        name={name}
        type={type}
        value={value}
        class={mono ? "mono" : undefined}
        required={required}
        list={list}
        placeholder={placeholder}
        maxlength={maxlength}
        min={min}
        max={max}
        autocomplete="off"
        autofocus={message !== undefined}
        aria-invalid={message === undefined ? undefined : "true"}
        aria-describedby={describedBy(name, { hint, error: message })}
      />
    </Field>
  );
}

/** A labelled text of several lines. */
export function LinesField({
  name,
  label,
  value,
  hint,
  error,
  rows = 4,
  placeholder,
  required,
}: {
  name: string;
  label: Child;
  value: string;
  hint?: Child;
  error?: FieldError | null;
  rows?: number;
  placeholder?: string;
  required?: boolean;
}) {
  const message = error?.field === name ? error.message : undefined;
  return (
    <Field name={name} label={label} hint={hint} error={message}>
      <textarea
        id={name}
        name={name}
        class="mono"
        rows={rows}
        placeholder={placeholder}
        required={required}
        autofocus={message !== undefined}
        aria-invalid={message === undefined ? undefined : "true"}
        aria-describedby={describedBy(name, { hint, error: message })}
      >
        {value}
      </textarea>
    </Field>
  );
}

/** A box to tick, with a sentence that says what it does. */
export function CheckField({
  name,
  label,
  hint,
  checked,
}: {
  name: string;
  label: Child;
  hint?: Child;
  checked: boolean;
}) {
  return (
    <div class="field">
      <div class="check">
        <input
          type="checkbox"
          id={name}
          name={name}
          value="on"
          checked={checked}
          aria-describedby={hint ? `${name}-hint` : undefined}
        />
        <label for={name}>{label}</label>
      </div>
      {hint && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** What a form was refused for: at the top always, so that nobody has to look for it. */
export function Refusal({ problem }: { problem: Problem | null }) {
  if (problem === null) return null;
  return (
    <NoticeBox kind="error" title="Nothing was saved">
      {sentence(problem.detail)}
    </NoticeBox>
  );
}

/** A text of the API as a sentence. */
export const sentence = (text: string) =>
  `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
