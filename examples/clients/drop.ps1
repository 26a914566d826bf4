#!/usr/bin/env pwsh

<#
.SYNOPSIS
    Drops a prompt into an sdspool folder, waits, and prints the paths of the pictures.
.EXAMPLE
    ./drop.ps1 \\server\spool 'a lighthouse at dusk'
#>
param(
    [Parameter(Mandatory)] [string] $Spool,
    [Parameter(Mandatory)] [string] $Prompt
)
$ErrorActionPreference = 'Stop'
$Spool = Convert-Path -LiteralPath $Spool

# A hidden name until the file is whole, then one rename. WriteAllText is UTF-8 without a BOM everywhere.
$name   = 'hello-{0}-{1}' -f $PID, [guid]::NewGuid().ToString('N').Substring(0, 8)
$inbox  = Join-Path $Spool 'inbox'
$hidden = Join-Path $inbox ".$name.json.tmp"
$job    = [ordered]@{ prompt = $Prompt; steps = 20; width = 512; height = 512 }
[IO.File]::WriteAllText($hidden, (ConvertTo-Json $job))
[IO.File]::Move($hidden, (Join-Path $inbox "$name.json"))

# A folder of results appears in one rename too: once seen, it is complete.
$done   = Join-Path $Spool "done/$name"
$failed = Join-Path $Spool "failed/$name"
do { Start-Sleep -Milliseconds 200 } until ((Test-Path -LiteralPath $done) -or (Test-Path -LiteralPath $failed))

if (Test-Path -LiteralPath $failed) {
    $report = Get-Content -LiteralPath (Join-Path $failed 'error.json') -Raw -Encoding UTF8 | ConvertFrom-Json
    [Console]::Error.WriteLine($report.message)
    exit 1
}
Get-ChildItem -LiteralPath $done -File |
    Where-Object Extension -In '.png', '.jpg', '.webp' |
    Sort-Object Name |
    ForEach-Object FullName
