const names = ['events', 'executions', 'deliveries']

/** The line with what the executor counted. Both panes report to it; the counters only ever grow. */
export function createMeter(element) {
  const last = element.querySelector('[data-last]')
  let counts
  // The counts before the latest change; deliveries may still be coming in when its event is already counted.
  let before

  function show(reading) {
    const next = Object.fromEntries(names.map((name) => [name, Math.max(reading[name], counts?.[name] ?? 0)]))
    if (counts && next.events > counts.events) {
      before = counts
      element.classList.remove('flows')
      void element.offsetWidth // restarts the animation
      element.classList.add('flows')
    }
    counts = next
    for (const name of names) element.querySelector(`[data-count=${name}]`).textContent = format(counts[name])
    if (before) {
      const [events, executions, deliveries] = names.map((name) => counts[name] - before[name])
      last.textContent = `Last change: ${plural(events, 'event', 'events')}, ${plural(executions, 'execution', 'executions')}, ${plural(deliveries, 'delivery', 'deliveries')}.`
    }
  }

  return { show }
}

function format(count) {
  return count.toLocaleString('en')
}

function plural(count, one, many) {
  return `${format(count)} ${count === 1 ? one : many}`
}
