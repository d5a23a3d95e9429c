import { Skeleton } from '@mantine/core'

/** Grey bars where the rows of a table will stand. */
export function TableSkeleton({ columns, rows = 7 }: { columns: number; rows?: number }) {
  return (
    <table className="table" aria-hidden>
      <tbody>
        {Array.from({ length: rows }, (_, row) => (
          <tr key={row}>
            {Array.from({ length: columns }, (_, column) => (
              <td key={column} className={column === 0 ? undefined : 'right'}>
                <Skeleton display="inline-block" height={10} width={column === 0 ? 96 : 40} radius="xs" animate={false} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
