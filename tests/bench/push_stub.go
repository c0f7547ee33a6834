package main

import ("fmt";"io";"errors")
const proxiesChild="proxies"
const pushLegend=""
type pushRow struct{}
func (pushRow) String() string {return ""}
func pushHeader() string {return ""}
func pushes() []benchmark {return nil}
func runProxies(io.Reader, io.Writer) error {return errors.New(fmt.Sprint("no"))}
func writePage(a, b string) error {return nil}
