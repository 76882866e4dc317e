// What forms are made of; what else pages show is in components.tsx.
import type { Child } from "../html/jsx-runtime.ts";
import { ButtonLink } from "./components.tsx";

/** What a form ends in: the button that sends it, and where Cancel leads. */
export function FormButtons({
  label,
  kind = "primary",
  cancel,
}: {
  label: string;
  kind?: "primary" | "danger" | "danger solid";
  cancel?: string;
}) {
  return (
    <div class="buttons">
      <button class={`button ${kind}`} type="submit">
        {label}
      </button>
      {cancel !== undefined && <ButtonLink href={cancel}>Cancel</ButtonLink>}
    </div>
  );
}

/** A label with its input. The input (any child) must have `id` = `name` of the field; hint and error are tied to it by `describedBy(name, …)`. */
export function Field({
  name,
  label,
  hint,
  error,
  children,
}: {
  name: string;
  label: Child;
  hint?: Child;
  error?: string | undefined;
  children: Child;
}) {
  return (
    <div class={error === undefined ? "field" : "field wrong"}>
      <label for={name}>{label}</label>
      {children}
      {hint && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p class="error" id={`${name}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

/** `aria-describedby` for an input inside `<Field>`. */
export function describedBy(
  name: string,
  { hint, error }: { hint?: unknown; error?: unknown },
): string | undefined {
  const ids = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean);
  return ids.length === 0 ? undefined : ids.join(" ");
}

/** A choice of one, each option with a sentence: radio buttons as cards. */
export function Choice({
  legend,
  name,
  options,
  value,
}: {
  legend: Child;
  name: string;
  options: readonly { value: string; label: Child; hint?: Child; disabled?: boolean }[];
  value: string;
}) {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      {options.map((option) => {
        const id = `${name}-${option.value}`;
        return (
          <div class="option">
            <input
              type="radio"
              id={id}
              name={name}
              value={option.value}
              checked={option.value === value}
              disabled={option.disabled}
              aria-describedby={option.hint ? `${id}-hint` : undefined}
            />
            <label for={id}>{option.label}</label>
            {option.hint && (
              <p class="hint" id={`${id}-hint`}>
                {option.hint}
              </p>
            )}
          </div>
        );
      })}
    </fieldset>
  );
}

/** A switch that posts: a button inside a form of its own. */
export function Toggle({
  on,
  label,
  name = "enabled",
  disabled,
}: {
  on: boolean;
  /** What it switches: `API key Deploy script`. */
  label: string;
  name?: string;
  disabled?: boolean;
}) {
  return (
    <button
      class="toggle"
      type="submit"
      role="switch"
      aria-checked={on ? "true" : "false"}
      aria-label={label}
      name={name}
      value={on ? "off" : "on"}
      disabled={disabled}
    >
      <span class="toggle-track" aria-hidden="true">
        <span class="toggle-knob" />
      </span>
      <span aria-hidden="true">{on ? "On" : "Off"}</span>
    </button>
  );
}

/** The form above a list. A plain GET: its fields are the page's query. */
export function Filters({
  action,
  submit = "Apply",
  children,
}: {
  action: string;
  submit?: string | undefined;
  children: Child;
}) {
  return (
    <search>
      <form method="get" action={action} class="filters">
        {children}
        <button class="button" type="submit">
          {submit}
        </button>
      </form>
    </search>
  );
}

/** A select with its options. */
export function Select({
  name,
  value,
  options,
  ...rest
}: {
  name: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  id?: string;
  [attribute: `aria-${string}` | `data-${string}`]: string | undefined;
}) {
  return (
    <select id={rest.id ?? name} name={name} {...rest}>
      {options.map(([option, label]) => (
        <option value={option} selected={option === value}>
          {label}
        </option>
      ))}
    </select>
  );
}
