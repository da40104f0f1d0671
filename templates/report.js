'use strict';
(() => {
  // Tables: a button in each header sorts the rows by its column, what is missing last.
  const words = new Intl.Collator(undefined, { numeric: true });
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    if ('key' in cell.dataset) return Number(cell.dataset.key);
    const text = cell.firstElementChild.textContent;
    return text === '–' || text === '' ? null : text;
  };
  const compare = (a, b) => typeof a === 'number' && typeof b === 'number' ? a - b : words.compare(a, b);
  const sort = (body, column, sign) => {
    const keyed = [...body.rows].map(row => [keyOf(row, column), row]);
    keyed.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b));
    body.append(...keyed.map(([, row]) => row));
  };
  for (const table of document.querySelectorAll('table')) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    if (body.rows.length < 2) continue;
    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener('click', () => {
        const up = head.getAttribute('aria-sort') !== 'ascending';
        for (const other of heads) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
        sort(body, column, up ? 1 : -1);
      });
    });
  }

  // Charts: pointing, touching and the arrow keys show the value of a shape, which is its title.
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.setAttribute('role', 'status');
  document.querySelector('main').append(tip);
  let shown = null;
  const show = shape => {
    shown?.classList.remove('at');
    shown = shape;
    tip.textContent = shape ? shape.words : '';
    if (!shape) return;
    const box = shape.getBoundingClientRect();
    const left = Math.min(Math.max(box.left + box.width / 2 - tip.offsetWidth / 2, 8), innerWidth - tip.offsetWidth - 8);
    const above = box.top - tip.offsetHeight - 8;
    tip.style.left = `${Math.max(left, 8) + scrollX}px`;
    tip.style.top = `${(above > 0 ? above : box.bottom + 8) + scrollY}px`;
  };
  for (const svg of document.querySelectorAll('.chart svg')) {
    const shapes = [...svg.querySelectorAll('title')].map(title => {
      const shape = title.parentNode;
      shape.words = title.textContent.trim();
      title.remove();
      return shape;
    });
    if (shapes.length === 0) continue;
    svg.tabIndex = 0;
    svg.setAttribute('aria-label', `${svg.getAttribute('aria-label')} The arrow keys step through its values.`);
    // A key may scroll the chart under a pointer that rests: what that is over now is not what is asked for.
    let byKey = false;
    const pointed = event => byKey || show(event.target.words ? event.target : null);
    svg.addEventListener('pointermove', event => {
      if (event.movementX || event.movementY) byKey = false;
    });
    svg.addEventListener('pointerover', pointed);
    svg.addEventListener('pointerdown', event => {
      byKey = false;
      pointed(event);
    });
    svg.addEventListener('pointerleave', () => byKey || show(null));
    svg.addEventListener('blur', () => {
      byKey = false;
      show(null);
    });
    svg.addEventListener('keydown', event => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === 'Escape') show(null);
      if (!step) return;
      event.preventDefault();
      byKey = true;
      const at = shapes.indexOf(shown);
      const next = shapes[at < 0 ? (step > 0 ? 0 : shapes.length - 1) : (at + step + shapes.length) % shapes.length];
      next.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      show(next);
      next.classList.add('at');
    });
  }

  // What has nothing to scroll is no stop of the tabulator.
  const stops = () => {
    for (const box of document.querySelectorAll('.scroll')) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute('tabindex');
    }
  };
  stops();
  addEventListener('resize', stops);
  for (const folded of document.querySelectorAll('details')) folded.addEventListener('toggle', stops);
})();
