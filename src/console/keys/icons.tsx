const PATHS = {
  edit: "M4 20h4L19.5 8.5a2.1 2.1 0 0 0-4-4L4 16v4zM14 6l4 4",
  revoke: "M4 7h16M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3",
};

/** A link that shows only a picture, a pencil or a trash can; `label` is what it does, and to what. */
export function IconLink({ icon, href, label }: { icon: keyof typeof PATHS; href: string; label: string }) {
  return (
    <a class={`button quiet icon ${icon}`} href={href} title={label}>
      <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
        <path d={PATHS[icon]} />
      </svg>
      <span class="unseen">{label}</span>
    </a>
  );
}
