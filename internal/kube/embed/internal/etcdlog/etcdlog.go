// Package etcdlog silences the log of the etcd client that kube-apiserver
// makes while it is being initialized: it writes to standard error, and no
// option reaches it.
//
// It works by being initialized before kube-apiserver is. The language orders
// initialization by import path wherever dependencies leave a choice, and
// this one comes before k8s.io.
package etcdlog

import "go.etcd.io/etcd/client/pkg/v3/logutil"

func init() {
	logutil.DefaultZapLoggerConfig.OutputPaths = nil
	logutil.DefaultZapLoggerConfig.ErrorOutputPaths = nil
}
