package scaffold
import ("testing";"os";"path/filepath";"hearth/charts";"hearth/internal/graph";"hearth/internal/repo";"hearth/internal/source";"hearth/internal/render/desired";"hearth/internal/domain")
func TestZZ(t *testing.T){
 dir:=os.Getenv("DIR"); ctx:=t.Context()
 r,err:=repo.Open(ctx,dir,repo.Options{}); if err!=nil {t.Fatal(err)}
 c,_:=r.Cluster("main")
 ch,_:=source.NewCharts(source.ChartOptions{Mapping:r.Config.Sources,Root:r.Root,CacheDir:filepath.Join(t.TempDir(),"c"),Embedded:charts.FS,Offline:true,StandIn:true})
 s,err:=desired.Build(ctx,r,c,desired.Options{Charts:ch}); if err!=nil {t.Fatal(err)}
 img,_:=ParseImage("ghcr.io/miniflux/miniflux:2.2.14@sha256:7795db623f55cef868bb9a460f7704836a3ca077d9be6ab6894916dc26be7722")
 for _, ns := range []string{"media","games"} {
 p,err:=New(s,graph.Build(s),Request{Namespace:ns,Name:"miniflux",Image:img,Port:8080,Database:true,Expose:domain.Exposure(os.Getenv("EXPOSE")),Storage:[]Storage{{Size:"10Gi"},{Server:"nas.example.com",Path:"/volume1/media"}},Secrets:[]string{"ADMIN_TOKEN"}})
 if err!=nil {t.Fatal(err)}
 p.Print(os.Stdout)
 for _, n := range p.Notes { t.Log(n) }
 }
}
